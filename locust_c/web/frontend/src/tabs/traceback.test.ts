import { expect, test } from "vitest";
import { lastPlace } from "./traceback";

test("the innermost frame", () => {
  const traceback = `Traceback (most recent call last):
  File "locust/user/task.py", line 1, in run
    self.execute_next_task()
  File "/x/locustfile.py", line 12, in index
    raise ValueError("no")
    ^^^^^^^^^^^^^^^^^^^^^^
ValueError: no
`;
  expect(lastPlace(traceback)).toBe(
    'File "/x/locustfile.py", line 12, in index\nraise ValueError("no")\nValueError: no',
  );
});

test("what is no traceback is shown from its end", () => {
  expect(lastPlace("one\ntwo\nthree\nfour\n")).toBe("two\nthree\nfour");
  expect(lastPlace("")).toBe("");
});
