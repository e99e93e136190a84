/** What the documents refer to is there: files of the project, other documents, and headings in them. */

import { assert, assertEquals } from "@std/assert";

const root = new URL("../../", import.meta.url);
const documents = [
  "README.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  "bench/README.md",
  ...[...Deno.readDirSync(new URL("docs/", root))].map(({ name }) => `docs/${name}`),
].filter((path) => path.endsWith(".md"));

/** A folder's name in backticks before a file's, as in `log/vector.ts`. */
const FILE = /`((?:[a-z_]+\/)+[a-z_]+\.(?:ts|md|json))`/g;
const LINK = /\]\(([^)\s:#]*)(?:#([^)\s]*))?\)/g;

Deno.test("files that documents name are there", () => {
  for (const document of documents) {
    for (const [, path] of read(document).matchAll(FILE)) {
      // Written by deno compile.
      if (path!.startsWith("dist/")) continue;
      // From the root, or from the document's folder.
      assert(isThere(path!) || isThere(`${document.replace(/[^/]*$/, "")}${path}`), `${document} names ${path}`);
    }
  }
});

Deno.test("links between documents lead somewhere, and to a heading that is there", () => {
  for (const document of documents) {
    for (const [link, path, heading] of withoutCode(read(document)).matchAll(LINK)) {
      if (path === "" && heading === undefined) continue;
      const target = path === "" ? document : new URL(path!, `file:///${document}`).pathname.slice(1);
      assert(isThere(target), `${document}: ${link}`);
      if (heading !== undefined) assert(headingsOf(target).includes(heading), `${document}: ${link}`);
    }
  }
});

Deno.test("headingsOf() names headings as GitHub does", () => {
  assertEquals(slug("2.9 How a connection ends"), "29-how-a-connection-ends");
  assertEquals(slug("What clients see"), "what-clients-see");
});

function headingsOf(path: string): string[] {
  return [...withoutCode(read(path)).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => slug(heading!));
}

function slug(heading: string): string {
  return heading.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(" ", "-");
}

/** A comment in a code block looks like a heading. */
function withoutCode(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```/gm, "");
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(new URL(path, root));
    return true;
  } catch {
    // Whatever the reason: a reader would not find it either.
    return false;
  }
}

function read(path: string): string {
  return Deno.readTextFileSync(new URL(path, root));
}
