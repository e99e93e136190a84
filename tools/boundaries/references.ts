/**
 * What documents and comments refer to is there: files of the project, other documents, and headings in them. A
 * document names files from the root or from its own folder, a header from the root or beside its file.
 */

import { commentsOf, lineAt } from "../source_text.ts";
import type { Texts, Violation } from "./house.ts";

/** A folder's name in backticks before a file's, as in `log/vector.ts`. */
const NAMED_IN_DOCUMENT = /`((?:[a-z_]+\/)+[a-z_]+\.(?:ts|md|json))`/g;
/** A file's name in backticks, with or without folders. */
const NAMED_IN_HEADER = /`([\w./-]+\.(?:ts|js|css|html|md|json))`/g;
/** A file's name with a folder before it, in a comment. */
const NAMED_IN_COMMENT = /(?<![\w./:<-])(?:[\w-]+\/)+\w+\.(?:ts|md)\b/g;
const LINK = /\]\(([^)\s:#]*)(?:#([^)\s]*))?\)/g;
const HINT = "name what is there, or bring it back";

/** What is named in `documents` and is not in `paths`: all files and folders of the project. */
export function* checkDocuments(documents: Texts, paths: ReadonlySet<string>): Generator<Violation> {
  for (const [path, text] of documents) {
    for (const { 1: name, index } of text.matchAll(NAMED_IN_DOCUMENT)) {
      // Written by deno compile.
      if (name!.startsWith("dist/") || isThere(name!, path, paths)) continue;
      yield { path, line: lineAt(text, index), what: `names ${name}, which is not there`, hint: HINT };
    }
    const prose = withoutCode(text);
    for (const { 0: link, 1: target, 2: heading, index } of prose.matchAll(LINK)) {
      if (target === "" && heading === undefined) continue;
      const file = target === "" ? path : beside(path, target!);
      const line = lineAt(prose, index);
      if (!paths.has(file)) yield { path, line, what: `links to ${file}, which is not there: ${link}`, hint: HINT };
      else if (heading !== undefined && !headingsOf(documents.get(file) ?? "").includes(heading)) {
        yield { path, line, what: `links to a heading that is not in ${file}: ${link}`, hint: HINT };
      }
    }
  }
}

/** What headers and other comments of `sources` name and is not in `paths`. */
export function* checkSources(sources: Texts, paths: ReadonlySet<string>): Generator<Violation> {
  for (const [path, text] of sources) {
    for (const { begin, end } of commentsOf(text)) {
      const comment = text.slice(begin, end);
      const named = new Map([...comment.matchAll(NAMED_IN_COMMENT)].map(({ 0: name, index }) => [index, name]));
      if (begin === 0) {
        for (const { 1: name, index } of comment.matchAll(NAMED_IN_HEADER)) named.set(index + 1, name!);
      }
      for (const [index, name] of named) {
        if (name.startsWith("dist/") || isThere(name, path, paths)) continue;
        yield { path, line: lineAt(text, begin + index), what: `names ${name}, which is not there`, hint: HINT };
      }
    }
  }
}

/** A heading as GitHub names it in links. */
export function slug(heading: string): string {
  return heading.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(" ", "-");
}

function isThere(name: string, path: string, paths: ReadonlySet<string>): boolean {
  return paths.has(name) || paths.has(beside(path, name));
}

/** `name` from the folder of the file at `path`. */
function beside(path: string, name: string): string {
  return new URL(name, `file:///${path}`).pathname.slice(1).replace(/\/$/, "");
}

function headingsOf(text: string): string[] {
  return [...withoutCode(text).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => slug(heading!));
}

/** A comment in a code block looks like a heading. Line ends stay. */
function withoutCode(text: string): string {
  return text.replaceAll(/^```[^]*?^```/gm, (block) => block.replaceAll(/[^\n]/g, ""));
}
