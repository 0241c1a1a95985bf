import { expect, test, vi } from "vitest";

/** What `fetch` was asked, each with what answers it. */
const asked: ((answer: unknown) => void)[] = [];

vi.stubGlobal("window", { templateArgs: { state: "ready" } });
vi.stubGlobal("document", { hidden: true });
vi.stubGlobal("fetch", () => new Promise((resolve) => asked.push((body) => resolve(Response.json(body)))));

const { emptyTimeline } = await import("./timeline");
const { refresh, state } = await import("./live");

const saying = (now: string) => ({ state: now, timeline: emptyTimeline() });

test("who asks while an answer is on its way waits for the one after it", async () => {
  const first = refresh();
  const second = refresh();
  const third = refresh();
  expect(asked.length).toBe(1);
  asked[0]?.(saying("running"));
  await first;
  expect(state.value).toBe("running");
  await vi.waitFor(() => expect(asked.length).toBe(2));
  asked[1]?.(saying("stopped"));
  await Promise.all([second, third]);
  expect(state.value).toBe("stopped");
  expect(asked.length).toBe(2);
});
