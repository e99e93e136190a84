/**
 * TypeScript as text in which only code is left: comments and the insides of strings are blanked, places stay. Not a
 * parser; enough to look for names and imports without being fooled by what is only said. Used by
 * `check_boundaries.ts`.
 */

/** An `import` or `export … from`. */
export interface ImportStatement {
  /** As written between the quotes. */
  readonly specifier: string;
  /** Counts from 1. */
  readonly line: number;
  /** Whether only types come in, so that nothing is left of it at run time. */
  readonly typesOnly: boolean;
}

/** A `/` after one of these begins a regular expression, after anything else it divides. */
const BEFORE_REGEXP =
  /(?:^|[(,=:[!&|?{};+\-*%<>~^\n]|\b(?:return|typeof|case|in|of|do|else|void|delete|throw|new|await))\s*$/;

/**
 * `source` with a space for every character of a comment, a string or a regular expression. Line ends and quotes stay.
 */
export function onlyCode(source: string): string {
  return scan(source).code;
}

/** Where the comments of `source` are: `end` is the place after the last character. */
export function commentsOf(source: string): readonly { readonly begin: number; readonly end: number }[] {
  return scan(source).comments;
}

function scan(source: string): { code: string; comments: { begin: number; end: number }[] } {
  const comments: { begin: number; end: number }[] = [];
  let code = "";
  let at = 0;
  // How deep in braces each `${` stands that is still open: at that depth its `}` leads back into the template.
  const templates: number[] = [];
  let depth = 0;

  while (at < source.length) {
    const character = source[at]!;
    if (source.startsWith("//", at)) comment(/[^\n]*/y);
    else if (source.startsWith("/*", at)) comment(/\/\*[^]*?(?:\*\/|$)/y);
    else if (character === '"' || character === "'") string(character);
    else if (character === "`") {
      keep();
      template();
    } else if (character === "/" && BEFORE_REGEXP.test(code.slice(-80))) {
      blank(/\/(?:\[(?:\\.|[^\]\\\n])*\]|\\.|[^/\\\n[])+\/[a-z]*/y);
    } else if (character === "}" && templates.at(-1) === depth) {
      templates.pop();
      keep();
      template();
    } else {
      if (character === "{") depth++;
      if (character === "}") depth--;
      keep();
    }
  }
  return { code, comments };

  function comment(pattern: RegExp): void {
    const begin = at;
    blank(pattern);
    comments.push({ begin, end: at });
  }

  function keep(): void {
    code += source[at++];
  }

  function blank(pattern: RegExp): void {
    pattern.lastIndex = at;
    const length = Math.max(1, pattern.exec(source)?.[0].length ?? 1);
    code += source.slice(at, at + length).replace(/[^\n]/g, " ");
    at += length;
  }

  function string(quote: string): void {
    keep();
    if (source[at] !== quote) blank(quote === '"' ? /(?:\\[^]|[^"\\\n])+/y : /(?:\\[^]|[^'\\\n])+/y);
    if (source[at] === quote) keep();
  }

  function template(): void {
    while (at < source.length) {
      if (source[at] === "`") return keep();
      if (source.startsWith("${", at)) {
        templates.push(depth);
        keep();
        return keep();
      }
      blank(/\\[^]|[^`\\$]+|\$/y);
    }
  }
}

/** Everything that `source` imports. `code` is what `onlyCode` makes of it. */
export function importsOf(source: string, code: string): ImportStatement[] {
  const statements = code.matchAll(
    /\b(?:import|export)\b(?<clause>[^;"'`()]*?)\bfrom\s*(?<from>"[^"]*")|\bimport\s*\(?\s*(?<bare>"[^"]*")/dg,
  );
  return [...statements].map((match) => {
    const [begin, end] = (match.indices!.groups!["from"] ?? match.indices!.groups!["bare"])!;
    return {
      specifier: source.slice(begin + 1, end - 1),
      line: lineAt(source, begin),
      typesOnly: isTypesOnly(match.groups!["clause"]),
    };
  });
}

/** The line of a place in `source`, counted from 1. */
export function lineAt(source: string, place: number): number {
  return source.slice(0, place).split("\n").length;
}

function isTypesOnly(clause: string | undefined): boolean {
  if (clause === undefined) return false;
  if (/^\s*type\b/.test(clause)) return true;
  const names = clause.match(/^\s*\{(.*)\}\s*$/s)?.[1]?.split(",").map((name) => name.trim()).filter((name) => name);
  return names !== undefined && names.length > 0 && names.every((name) => name.startsWith("type "));
}
