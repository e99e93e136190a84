/**
 * `deno task descriptors`: makes `server/gateway/grpc/standard/descriptors.ts` from the `.proto` files of the
 * Chitty-Chat door. The gRPC door hands these descriptors to tools that ask what it serves.
 */

import protobuf from "protobufjs";
import type { DescribedFile } from "../server/gateway/grpc/standard/descriptors.ts";
import descriptor from "protobufjs/ext/descriptor/index.js";

/** The door's files: their name for other programs, and where they lie in the house. */
const FILES: readonly (readonly [name: string, path: string])[] = [
  ["chitty_chat.proto", "server/gateway/grpc/chitty_chat.proto"],
  ["grpc/health/v1/health.proto", "server/gateway/grpc/standard/health.proto"],
  ["grpc/reflection/v1/reflection.proto", "server/gateway/grpc/standard/reflection.proto"],
  ["grpc/reflection/v1alpha/reflection.proto", "server/gateway/grpc/standard/reflection.proto"],
];
const ROOT = new URL("../", import.meta.url);
const TARGET = "server/gateway/grpc/standard/descriptors.ts";

/** What the `.proto` files say now. */
export async function describedFiles(): Promise<DescribedFile[]> {
  return await Promise.all(FILES.map(async ([name, path]) => {
    const text = await Deno.readTextFile(new URL(path, ROOT));
    // The earlier version of reflection has other names, and nothing else.
    const source = name.includes("v1alpha") ? text.replace("reflection.v1;", "reflection.v1alpha;") : text;
    const [symbols, services] = [symbolsOf(source), servicesOf(source)];
    return { name, symbols, services, base64: bytesOf(name, source).toBase64() };
  }));
}

function moduleText(files: readonly DescribedFile[]): string {
  return `/** The descriptors of the door's .proto files. Made by \`deno task descriptors\`. Pure. */

/** One file, as reflection hands it out. */
export interface DescribedFile {
  /** The name by which other files import it. */
  readonly name: string;
  /** Full names of its messages, enums, services and methods. */
  readonly symbols: readonly string[];
  /** Full names of its services. */
  readonly services: readonly string[];
  /** A \`FileDescriptorProto\`. */
  readonly base64: string;
}

/** All files of this door. */
export const DESCRIBED_FILES: readonly DescribedFile[] = ${JSON.stringify(files, null, 2)};
`;
}

/** A `FileDescriptorProto` of a `.proto` file. */
function bytesOf(name: string, source: string): Uint8Array {
  const { root } = protobuf.parse(source, new protobuf.Root(), { keepCase: true });
  root.resolveAll();
  const set = (root as unknown as { toDescriptor(syntax: string): { file: Record<string, unknown>[] } })
    .toDescriptor("proto3");
  const [file, ...others] = set.file;
  if (file === undefined || others.length > 0) throw new Error(`${name} is not one package`);
  return Uint8Array.from(descriptor.FileDescriptorProto.encode({ ...file, name }).finish());
}

function symbolsOf(source: string): string[] {
  return named(source, (object) => object !== undefined);
}

function servicesOf(source: string): string[] {
  return named(source, (object) => object instanceof protobuf.Service);
}

/** Full names of what a file says, and of everything in it, that `isWanted`. Fields have no names of their own. */
function named(source: string, isWanted: (object: protobuf.ReflectionObject) => boolean): string[] {
  const { root } = protobuf.parse(source, new protobuf.Root(), { keepCase: true });
  const names: string[] = [];
  const walk = (object: protobuf.ReflectionObject): void => {
    const isPackage = object.constructor === protobuf.Namespace || object === root;
    if (!isPackage && isWanted(object)) names.push(object.fullName.slice(1));
    if (object instanceof protobuf.Service) { for (const method of object.methodsArray) walk(method); }
    if (object instanceof protobuf.Namespace) { for (const nested of object.nestedArray) walk(nested); }
  };
  walk(root);
  return names;
}

if (import.meta.main) await Deno.writeTextFile(new URL(TARGET, ROOT), moduleText(await describedFiles()));
