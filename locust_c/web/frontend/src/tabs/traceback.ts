/** The innermost frame of a Python traceback, and the exception: what one looks for first. */
export function lastPlace(traceback: string): string {
  const lines = traceback.trimEnd().split("\n");
  const frame = lines.findLastIndex((line) => /^\s*File "/.test(line));
  return frame < 0
    ? lines.slice(-3).join("\n")
    : lines
        .slice(frame)
        .map((line) => line.trim())
        .join("\n");
}
