/**
 * `deno task boundaries`: the folder list is the architecture, and this keeps it so. Which rules there are stands here;
 * each rule, and what is allowed by way of exception, is a file of `tools/boundaries/`.
 */

import { checkBags } from "./boundaries/bags.ts";
import { checkClientSeam } from "./boundaries/client_seam.ts";
import { checkComments } from "./boundaries/comments.ts";
import { checkEngines } from "./boundaries/engines.ts";
import { isShipped, type Texts, type Violation, violationText } from "./boundaries/house.ts";
import { checkFloors, DEBTS, findCircles, type Imports, needlessDebts } from "./boundaries/imports.ts";
import { checkNames, checkNodeModules, needlessModules } from "./boundaries/machine.ts";
import { checkPromise, checkPureCode, checkPureImports, pureFiles, PURITY_DEBTS } from "./boundaries/purity.ts";
import { checkDocuments, checkSources } from "./boundaries/references.ts";
import { checkFolders, checkLengths } from "./boundaries/sizes.ts";
import { checkUnit } from "./boundaries/unit.ts";
import { importsOf, onlyCode } from "./source_text.ts";

/** The project as it lies on the disk. */
export interface Project {
  /** All of its files. */
  readonly files: ReadonlySet<string>;
  /** What is in those with code, pages and documents. */
  readonly texts: Texts;
}

/** Everything that is wrong with the project. */
export function checkProject({ files, texts }: Project): Violation[] {
  const shipped = only(texts, isShipped);
  const scripts = only(texts, (path) => /\.(?:ts|js)$/.test(path));
  const { imports } = readCode(shipped);
  const pure = pureFiles(shipped);
  const paths = withFolders(files);
  const importsOfFile = (path: string) => imports.get(path) ?? [];
  return [
    ...checkBoundaries(shipped),
    ...needlessDebts(DEBTS, "DEBTS", (path) => checkFloors(path, importsOfFile(path), {})),
    ...needlessDebts(PURITY_DEBTS, "PURITY_DEBTS", (path) => checkPureImports(path, importsOfFile(path), pure, {})),
    ...needlessModules(imports),
    ...checkEngines(imports),
    ...checkLengths(texts),
    ...checkFolders(files),
    ...checkComments(scripts),
    ...checkDocuments(only(texts, (path) => path.endsWith(".md")), paths),
    ...checkSources(scripts, paths),
  ];
}

/** What is wrong with how the shipped `files` use each other and the machine. */
export function checkBoundaries(files: Texts): Violation[] {
  const { imports, codes } = readCode(files);
  const pure = pureFiles(files);
  const violations: Violation[] = [];
  for (const [path, source] of files) {
    const statements = imports.get(path)!;
    const code = codes.get(path)!;
    violations.push(
      ...checkFloors(path, statements),
      ...checkNodeModules(path, statements),
      ...checkNames(path, source, code, pure.has(path)),
      ...checkPromise(path, source),
      ...checkUnit(path, code),
    );
    if (!pure.has(path)) continue;
    violations.push(...checkPureImports(path, statements, pure), ...checkPureCode(path, source, code));
  }
  return [...violations, ...checkBags(codes, imports), ...checkClientSeam(imports, codes), ...findCircles(imports)];
}

function readCode(files: Texts): { imports: Imports; codes: Texts } {
  const codes = new Map([...files].map(([path, source]) => [path, onlyCode(source)]));
  const imports = new Map([...files].map(([path, source]) => [path, importsOf(source, codes.get(path)!)]));
  return { imports, codes };
}

function only(texts: Texts, isWanted: (path: string) => boolean): Texts {
  return new Map([...texts].filter(([path]) => isWanted(path)));
}

/** `files` and the folders that they lie in. */
function withFolders(files: Iterable<string>): ReadonlySet<string> {
  const paths = new Set(files);
  for (const path of paths) {
    const folder = path.slice(0, Math.max(0, path.lastIndexOf("/")));
    // A set goes on with what is added while it is walked.
    if (folder !== "") paths.add(folder);
  }
  return paths;
}

function readProject(root: URL): Project {
  const files = new Set<string>();
  const texts = new Map<string, string>();
  const visit = (folder: string): void => {
    for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, root))) {
      const path = folder + name;
      if (name.startsWith(".") || ["node_modules", "dist", "thrum-data"].includes(path)) continue;
      if (isDirectory) {
        visit(`${path}/`);
        continue;
      }
      files.add(path);
      if (/\.(?:ts|js|css|html|md)$/.test(name)) texts.set(path, Deno.readTextFileSync(new URL(path, root)));
    }
  };
  visit("");
  return { files, texts };
}

if (import.meta.main) {
  const project = readProject(new URL("../", import.meta.url));
  const violations = checkProject(project);
  for (const violation of violations) console.error(violationText(violation));
  console.log(
    `${project.texts.size} files: ${
      violations.length === 0 ? "all boundaries hold" : `${violations.length} violations`
    }`,
  );
  Deno.exit(violations.length === 0 ? 0 : 1);
}
