/**
 * A disk of its own that takes so many bytes a second and no more: a file as a loop device, and a control group whose
 * writes to that are throttled by the kernel. The program under test is started in the group. Needs root and Linux.
 */

/** A mounted disk. */
export interface ThrottledDisk extends Disposable {
  readonly folder: string;
  /** What starts a program whose writes are throttled. */
  readonly through: readonly string[];
}

/** Where systems have the groups that throttle disks: of the first kind, and of the second. */
const FIRST_KIND = "/sys/fs/cgroup/blkio";
const SECOND_KIND = "/sys/fs/cgroup";

/** Why there can be none here; empty when there can. */
export const NO_THROTTLED_DISK: string = whyNot();

/** Mounts a disk of `megabytes` that takes `bytesPerSecond`; disposing unmounts it, when the program has ended. */
export function mountThrottledDisk(megabytes: number, bytesPerSecond: number): ThrottledDisk {
  const cleanup = new DisposableStack();
  try {
    const folder = Deno.makeTempDirSync({ prefix: "thrum-throttled-" });
    cleanup.defer(() => Deno.removeSync(folder, { recursive: true }));
    const [image, mounted] = [`${folder}/image`, `${folder}/disk`];
    Deno.mkdirSync(mounted);
    runAsRoot("truncate", "-s", `${megabytes}M`, image);
    runAsRoot("mkfs.ext4", "-q", "-F", image);
    const device = runAsRoot("losetup", "--find", "--show", image).trim();
    cleanup.defer(() => void runAsRoot("losetup", "--detach", device));
    runAsRoot("mount", device, mounted);
    cleanup.defer(() => void runAsRoot("umount", mounted));
    const group = throttledGroup(folder.slice(folder.lastIndexOf("/") + 1), numberOf(device), bytesPerSecond);
    cleanup.defer(() => Deno.removeSync(group));
    const end = cleanup.move();
    return {
      folder: mounted,
      through: ["sh", "-c", `echo $$ > ${group}/cgroup.procs && exec "$@"`, "sh"],
      [Symbol.dispose]: () => end.dispose(),
    };
  } finally {
    cleanup.dispose();
  }
}

/** A new group that writes so much to the device. */
function throttledGroup(name: string, device: string, bytesPerSecond: number): string {
  const isFirstKind = isFolder(FIRST_KIND);
  const group = `${isFirstKind ? FIRST_KIND : SECOND_KIND}/${name}`;
  Deno.mkdirSync(group);
  try {
    if (isFirstKind) Deno.writeTextFileSync(`${group}/blkio.throttle.write_bps_device`, `${device} ${bytesPerSecond}`);
    else Deno.writeTextFileSync(`${group}/io.max`, `${device} wbps=${bytesPerSecond}`);
  } catch (error) {
    Deno.removeSync(group);
    throw error;
  }
  return group;
}

/** `MAJOR:MINOR` of a device. */
function numberOf(device: string): string {
  return Deno.readTextFileSync(`/sys/block/${device.slice("/dev/".length)}/dev`).trim();
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

function whyNot(): string {
  if (Deno.build.os !== "linux") return "loop devices are a thing of Linux";
  if (Deno.uid() !== 0) return "only root can mount one";
  try {
    mountThrottledDisk(16, 1_048_576)[Symbol.dispose]();
    return "";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function runAsRoot(command: string, ...args: string[]): string {
  const { success, stdout, stderr } = new Deno.Command(command, { args, stdout: "piped", stderr: "piped" })
    .outputSync();
  if (!success) throw new Error(`${command} failed: ${new TextDecoder().decode(stderr).trim()}`);
  return new TextDecoder().decode(stdout);
}
