/** Folders of small files that come with the program: beside it, or inside it when it is compiled. */

/** All files below `folder`, by their path in it with `/` between its parts. Rejects when the folder cannot be read. */
export async function readFolder(folder: URL): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  const visit = async (path: string): Promise<void> => {
    for await (const { name, isDirectory, isFile } of Deno.readDir(new URL(path, folder))) {
      if (isDirectory) await visit(`${path}${name}/`);
      else if (isFile) files.set(path + name, await Deno.readFile(new URL(path + name, folder)));
    }
  };
  await visit("./");
  return new Map([...files].map(([path, bytes]) => [path.slice("./".length), bytes]));
}
