// What the API takes at once where jobs are named one by one.
export const MOST_NAMED = 200;
