// The words that a result holds where there is no label.

/** No label may have one of these names. */
export const VERDICTS = ['uncertain', 'refused', 'error'];
