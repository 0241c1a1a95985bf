/** What a table keeps while its rows change: the window of rows in the page, focus, and selected text. */

import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { type Window, windowOf } from "./window";

type Box = RefObject<HTMLElement>;

/** The window of `count` rows that `box` shows; `rows` in it have the attribute `data-row` and one height. */
export function useWindow(box: Box, count: number): Window & { rowHeight: number; onScroll: () => void } {
  const [rowHeight, setRowHeight] = useState(0);
  const [view, setView] = useState({ top: 0, height: 0 });
  const shown = windowOf(count, rowHeight, view.top, view.height);

  function look(): void {
    const node = box.current;
    if (!node) return;
    const { scrollTop: top, clientHeight: height } = node;
    const next = windowOf(count, rowHeight, top, height);
    if (next.start !== shown.start || next.end !== shown.end) setView({ top, height });
  }
  const latest = useRef(look);
  latest.current = look;

  useLayoutEffect(() => {
    const row = box.current?.querySelector("[data-row]");
    const height = row?.getBoundingClientRect().height ?? 0;
    // In a scaled page rows of one height are measured a little differently.
    if (height && Math.abs(height - rowHeight) > 0.5) setRowHeight(height);
    else look();
  });
  useEffect(() => {
    const observer = new ResizeObserver(() => latest.current());
    observer.observe(box.current as HTMLElement);
    return () => observer.disconnect();
  }, []);
  return { ...shown, rowHeight, onScroll: look };
}

/** `fresh`, but while text is selected in `box` what was there when the selection began. */
export function useHeld<T>(box: Box, fresh: T): { value: T; held: boolean } {
  const [held, setHeld] = useState(false);
  const value = useRef(fresh);
  useEffect(() => {
    const look = () => {
      const selection = document.getSelection();
      const inside = selection?.anchorNode && box.current?.contains(selection.anchorNode);
      setHeld(Boolean(inside && !selection?.isCollapsed));
    };
    document.addEventListener("selectionchange", look);
    return () => document.removeEventListener("selectionchange", look);
  }, []);
  if (!held) value.current = fresh;
  return { value: value.current, held };
}

/** Focus stays on its row when rows change places, and in `box` when the row leaves the page. */
export function useKeptFocus(box: Box): void {
  // Read before the page is changed, since moving a focused element takes its focus away.
  const focused = document.activeElement;
  const inside = focused !== box.current && box.current?.contains(focused);
  useLayoutEffect(() => {
    if (!inside || document.activeElement !== document.body) return;
    const next = focused?.isConnected ? (focused as HTMLElement) : box.current;
    next?.focus({ preventScroll: true });
  });
}

/** What comes first is seen first, whenever `what` is shown another time. */
export function useTop(box: Box, ...what: unknown[]): void {
  const first = useRef(true);
  useLayoutEffect(() => {
    if (!first.current) box.current?.scrollTo({ top: 0 });
    first.current = false;
  }, what);
}

/**
 * Tells the style sheet how much of the page is above and below `box`, in `--above` and `--below`, and whether it
 * is too narrow for its table, in `data-narrow`.
 */
export function useRoom(box: Box): void {
  useLayoutEffect(() => {
    const measure = () => {
      const node = box.current;
      if (!node) return;
      const [page, own] = [document.body.getBoundingClientRect(), node.getBoundingClientRect()];
      node.style.setProperty("--above", `${Math.ceil(own.top - page.top)}px`);
      node.style.setProperty("--below", `${Math.ceil(page.bottom - own.bottom)}px`);
      node.toggleAttribute("data-narrow", node.scrollWidth > node.clientWidth);
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(document.body);
    observer.observe(box.current?.firstElementChild as Element);
    return () => observer.disconnect();
  }, []);
}
