/**
 * Answers what a gRPC server serves, for tools such as grpcurl: the reflection service, versions v1 and v1alpha. Bytes
 * of a request in, bytes of its answer out. Pure.
 */

import { decodeMessage, encodeMessage, type MessageFields, type ValueOf } from "../protobuf.ts";
import { DESCRIBED_FILES, type DescribedFile } from "./descriptors.ts";

/** A request is one of these. They are strings, read as bytes: an empty one is a request, too. */
const REQUEST = {
  fileByFilename: { number: 3, type: "bytes" },
  fileContainingSymbol: { number: 4, type: "bytes" },
  fileContainingExtension: { number: 5, type: "bytes" },
  allExtensionNumbersOfType: { number: 6, type: "bytes" },
  listServices: { number: 7, type: "bytes" },
} as const satisfies MessageFields;

const SERVICE = { name: { number: 1, type: "string" } } as const satisfies MessageFields;

const RESPONSE = {
  originalRequest: { number: 2, type: "bytes" },
  fileDescriptors: { number: 4, type: { files: { number: 1, type: "bytes", isList: true } } },
  services: { number: 6, type: { service: { number: 1, type: SERVICE, isList: true } } },
  error: { number: 7, type: { code: { number: 1, type: "int32" }, message: { number: 2, type: "string" } } },
} as const satisfies MessageFields;

type Response = ValueOf<typeof RESPONSE>;
type Answer = Partial<Response>;

const STATUS = { invalidArgument: 3, notFound: 5, unimplemented: 12 } as const;
const NOTHING: Response = {
  originalRequest: undefined,
  fileDescriptors: undefined,
  services: undefined,
  error: undefined,
};

/** What the door serves: the participants' own service is described, and served by them. */
const SERVED = DESCRIBED_FILES.flatMap(({ services }) => services).filter((name) =>
  name !== "chat.ChittyChatServiceOUT"
);

/**
 * The answer to one request.
 * @throws {RangeError} when the bytes are no message. @throws {TypeError} when a name is not UTF-8.
 */
export function answerReflection(request: Uint8Array): Uint8Array {
  return encodeMessage(RESPONSE, {
    ...NOTHING,
    originalRequest: request,
    ...answerTo(decodeMessage(REQUEST, request)),
  });
}

function answerTo(asked: ValueOf<typeof REQUEST>): Answer {
  if (asked.listServices !== undefined) return { services: { service: SERVED.map((name) => ({ name })) } };
  if (asked.fileByFilename !== undefined) {
    const name = textOf(asked.fileByFilename);
    return described(DESCRIBED_FILES.find((file) => file.name === name), `There is no file ${name}`);
  }
  if (asked.fileContainingSymbol !== undefined) {
    const symbol = textOf(asked.fileContainingSymbol);
    return described(DESCRIBED_FILES.find(({ symbols }) => symbols.includes(symbol)), `Nothing is called ${symbol}`);
  }
  if (asked.fileContainingExtension !== undefined || asked.allExtensionNumbersOfType !== undefined) {
    return failed(STATUS.notFound, "No message here has extensions");
  }
  return failed(STATUS.invalidArgument, "The request asks for nothing that is known here");
}

function described(file: DescribedFile | undefined, otherwise: string): Answer {
  if (file === undefined) return failed(STATUS.notFound, otherwise);
  return { fileDescriptors: { files: [Uint8Array.fromBase64(file.base64)] } };
}

function failed(code: number, message: string): Answer {
  return { error: { code, message } };
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}
