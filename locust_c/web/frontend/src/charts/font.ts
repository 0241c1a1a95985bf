/** The font of what is written into the pictures. */

import { colours } from "./colours";

const SIZE = 11;

/** @param ratio device pixels per CSS pixel, where the canvas is drawn to directly. */
export const font = (ratio = 1) => `${SIZE * ratio}px ${colours.value.font}`;
