/** Columns of tables: medians, spreads and ratios of what was measured. Pure. */

import type { Family } from "../contenders.ts";
import type { Figures, Measured } from "../part.ts";
import { median, medianRatio } from "./statistics.ts";
import { short, type Table, times } from "./table.ts";

/** A number of one round; `undefined` when the round has none. */
export type Read = (figures: Figures) => number | undefined;

/** A column: its head, and its text for a row among all. */
export interface Column {
  readonly head: string;
  text(row: Measured, all: readonly Measured[]): string;
}

/** What `read` finds in the rounds that succeeded. */
export function values(row: Measured, read: Read): number[] {
  return row.rounds.flatMap((figures) => (figures === null ? undefined : read(figures)) ?? []);
}

/** The median over the rounds. */
export function middle(row: Measured, read: Read): number {
  return median(values(row, read));
}

/** A table of `rows` with the first columns, which name a row, as `names`. */
export function tableOf(
  title: string,
  names: readonly Column[],
  columns: readonly Column[],
  rows: readonly Measured[],
  notes: readonly string[] = [],
): Table {
  const all = [...names, ...columns];
  return {
    title,
    names: names.length,
    head: all.map(({ head }) => head),
    rows: rows.map((row) => all.map((column) => column.text(row, rows))),
    notes,
  };
}

/** The load of a row. */
export function labelColumn(head: string): Column {
  return { head, text: (row) => row.label };
}

/** The server of a row. */
export const SERVER_COLUMN: Column = { head: "server", text: (row) => row.name };

/** The median, and the lowest and the highest of all rounds beside it. */
export function spreadColumns(head: string, read: Read, format: (value: number) => string = short): Column[] {
  return [
    { head, text: (row) => orDash(middle(row, read), format) },
    {
      head: "min–max",
      text: (row) => {
        const all = values(row, read);
        return all.length === 0 ? "–" : `${format(Math.min(...all))}–${format(Math.max(...all))}`;
      },
    },
  ];
}

/** The median alone. */
export function medianColumn(head: string, read: Read, format: (value: number) => string = short): Column {
  return { head, text: (row) => orDash(middle(row, read), format) };
}

/**
 * The median of the ratios within the rounds, against the first of `families` that was measured under the same load. Of
 * several versions the newest counts, which stands first.
 */
export function versusColumn(head: string, read: Read, ...families: readonly Family[]): Column {
  return versus(head, read, (row, all) => {
    const others = families.flatMap((family) => all.filter((each) => each.family === family));
    return others.find((each) => each.label === row.label);
  });
}

/** As `versusColumn`, against what the same server did under the load `label`. */
export function versusLabelColumn(head: string, read: Read, label: string): Column {
  return versus(head, read, (row, all) => all.find((each) => each.name === row.name && each.label === label));
}

function versus(
  head: string,
  read: Read,
  otherOf: (row: Measured, all: readonly Measured[]) => Measured | undefined,
): Column {
  const byRound = (row: Measured | undefined) =>
    row?.rounds.map((figures) => figures === null ? undefined : read(figures)) ?? [];
  return { head, text: (row, all) => times(medianRatio(byRound(row), byRound(otherOf(row, all)))) };
}

/** Processor seconds of the server for a million deliveries, or answers. */
export function processorColumn(head: string): Column {
  return medianColumn(head, processorPerMillion, (seconds) => seconds.toPrecision(3));
}

/** Processor seconds of the server for a million of what `perS` counts, which is also microseconds for one. */
export function processorPerMillion({ serverCores, perS }: Figures): number | undefined {
  return serverCores === undefined || perS === undefined ? undefined : serverCores / perS * 1e6;
}

/** How much of a core server and generator used. */
export const CORES_COLUMNS: readonly Column[] = [
  medianColumn("server cores", ({ serverCores }) => serverCores, (cores) => cores.toFixed(2)),
  medianColumn("generator cores", ({ generatorCores }) => generatorCores, (cores) => cores.toFixed(2)),
];

/** From this use of one core on, a generator may be what holds a server back. */
const GENERATOR_BUSY_CORES = 0.9;

/** Names the rows in which the generator had less to spare than the server. */
export function generatorNotes(rows: readonly Measured[]): string[] {
  return rows
    .filter((row) => {
      const generator = middle(row, (figures) => figures.generatorCores);
      return generator >= GENERATOR_BUSY_CORES && generator > middle(row, (figures) => figures.serverCores);
    })
    .map((row) => `The generator may have been the bottleneck: ${row.label}, ${row.name}.`);
}

function orDash(value: number, format: (value: number) => string): string {
  return Number.isFinite(value) ? format(value) : "–";
}
