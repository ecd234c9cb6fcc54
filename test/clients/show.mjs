// Show an error in one of the ways of the page's table; an uncaught one ends the program.
import { join } from "node:path";

const shows = {
  "uncaught error": (error) => { throw error; },
  "error.message": (error) => console.log(error.message),
  "whole(error)": async (error) => console.log((await import(join(process.cwd(), "whole.mjs"))).whole(error)),
};

export const show = (way) => async (error) => {
  await shows[way](error);
  process.exit();
};
