/** The innermost frame of a Python traceback, and the exception: what one looks for first. */
export function lastPlace(traceback: string): string {
  const lines = traceback.trimEnd().split("\n");
  const frame = lines.findLastIndex((line) => /^\s*File "/.test(line));
  if (frame < 0) return lines.slice(-3).join("\n");
  // Python points at parts of a line with another line, which says nothing without its own width.
  const told = lines.slice(frame).filter((line) => !/^\s*[~^]+\s*$/.test(line));
  return told.map((line) => line.trim()).join("\n");
}
