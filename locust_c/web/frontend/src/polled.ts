/** Data of the visible tab: asked for while something shows it. */

import { useEffect, useRef, useState } from "preact/hooks";
import { get } from "./api";
import { type Live, live } from "./live";

/**
 * The JSON at `path`: asked for again with each answer of `stats/live`, two seconds apart, that has another
 * `version` than the last one. Null before the first answer. When the connection is lost the last answer stays.
 *
 * @param version what the data depends on; without it, the data is asked for each time.
 */
export function usePolled<T>(
  path: string,
  version: (answer: Live) => unknown = (answer) => answer,
): T | null {
  const [data, setData] = useState<{ path: string; fresh: T } | null>(null);
  const shown = useRef<{ path: string; version: unknown } | null>(null);
  const busy = useRef(false);
  const answer = live.value;
  useEffect(() => {
    if (answer === null || busy.current) return;
    const wanted = { path, version: version(answer) };
    if (shown.current?.path === path && shown.current.version === wanted.version) return;
    busy.current = true;
    get<T>(path)
      .then((fresh) => {
        shown.current = wanted;
        setData({ path, fresh });
      })
      // What is wrong with the connection, stats/live finds out as well, and the page says it once.
      .catch(() => {})
      .finally(() => {
        busy.current = false;
      });
  }, [path, answer]);
  return data?.path === path ? data.fresh : null;
}
