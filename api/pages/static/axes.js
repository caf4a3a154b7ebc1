// What a chart's form asks for, kept in the address: whoever opens it elsewhere sees the same.

/** Set the form as the address has it. */
export function recall(form) {
  for (const [name, value] of new URLSearchParams(location.search)) {
    if (form.elements[name]) form.elements[name].value = value;
  }
  for (const select of form.querySelectorAll("select")) {
    if (!select.value) select.selectedIndex = 0; // an address may say anything
  }
}

/** Write what the form asks for into the address, without a request. */
export function remember(form) {
  const address = new URL(location);
  for (const [name, value] of new FormData(form)) address.searchParams.set(name, value);
  history.replaceState(null, "", address);
}
