/** Tables for the terminal and for Markdown, which are the same but for their frame. Pure. */

/** What was measured, as text. The first columns name a row and stand left, numbers stand right. */
export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  /** How many of the columns are names. */
  readonly names: number;
  readonly rows: readonly (readonly string[])[];
  /** What a reader has to know about single rows. */
  readonly notes: readonly string[];
}

/** `table` as lines of text. */
export function render(table: Table, style: "terminal" | "markdown"): string {
  const widths = table.head.map((_, column) =>
    Math.max(...[table.head, ...table.rows].map((row) => row[column]!.length))
  );
  const cell = (text: string, column: number) =>
    column < table.names ? text.padEnd(widths[column]!) : text.padStart(widths[column]!);
  const line = (row: readonly string[]) =>
    style === "markdown" ? `| ${row.map(cell).join(" | ")} |` : row.map(cell).join("   ").trimEnd();
  const rule = style === "markdown"
    ? `| ${widths.map((width, column) => "-".repeat(width - 1) + (column < table.names ? "-" : ":")).join(" | ")} |`
    : widths.map((width) => "─".repeat(width)).join("───");
  const title = style === "markdown" ? [`### ${table.title}`, ""] : [table.title, ""];
  const notes = table.notes.flatMap((note) => style === "markdown" ? ["", `* ${note}`] : ["", `* ${note}`]);
  return [...title, line(table.head), rule, ...table.rows.map(line), ...notes, ""].join("\n");
}

/** A whole number as people read it: 10,000. */
export function whole(value: number): string {
  return value.toLocaleString("en-US");
}

/** Three digits that count, with k or M: 1.52 M, 214 k, 87.3. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (value >= 999_500) return `${(value / 1e6).toPrecision(3)} M`;
  if (value >= 9_995) return `${(value / 1e3).toPrecision(3)} k`;
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** `2.31 ×`, or a dash where there is nothing to compare with. */
export function times(ratio: number): string {
  return Number.isFinite(ratio) ? `${ratio.toFixed(2)} ×` : "–";
}
