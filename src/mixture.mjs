// The class mix that people give, completed for all labels of a model.

/** Shares have six decimals, like probabilities in records. */
const ONE = 1e6;

/**
 * The labels that a class mix has to name: all, but for the one of other findings where the mix leaves it out.
 * @param {Iterable<string>} named @param {{ labels: string[], other: string | null }} model
 */
export function neededLabels(named, { labels, other }) {
  const names = new Set(named);
  return labels.filter((label) => label !== other || names.has(label));
}

/**
 * People rarely know how many of their patients have a finding that is none of the model's categories. So the label
 * that stands for it, if the mix does not name it, keeps the model's own share, and the shares given are those of all
 * other people. A mix that names it, or of a model without such a label or prior, stays as it is.
 * @param {{ [label: string]: number }} shares
 * @param {{ labels: string[], other: string | null, prior: { [label: string]: number } | null }} model
 * @returns {{ [label: string]: number }} in the order of the labels
 */
export function completeMixture(shares, { labels, other, prior }) {
  if (other === null || !prior || Object.hasOwn(shares, other)) return shares;
  const rest = 1 - prior[other];
  const round = (/** @type {number} */ share) => Math.round(share * ONE) / ONE;
  return Object.fromEntries(
    labels.map((label) => [label, round(label === other ? prior[other] : shares[label] * rest)]),
  );
}
