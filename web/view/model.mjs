// model.mjs: draws the dialog that opens another model.
import { setText } from './dom.mjs';

/** @typedef {import('../state/state.mjs').State} State */

/** The engine's errors about weights, in the words of this dialog. */
const REASONS = /** @type {const} */ ({
  'not-a-model': 'model.damaged',
  'model-version': 'model.damaged',
  'model-damaged': 'model.damaged',
  'model-unsupported': 'model.unsupported',
  'self-test': 'model.self-test',
  unkept: 'model.unkept',
});

/** @param {import('./dom.mjs').Elements} at */
export function createModelDialog(at) {
  return (/** @type {State} */ { brought, broughtError, modelKept, model, run, engine, i18n }) => {
    const own = model?.brought ? i18n.inForceText(model) : i18n.t('model.shipped');
    setText(at['model-state'], model?.brought ? `${own} ${i18n.summary(model)}`.trim() : own);
    at['model-error'].hidden = !broughtError;
    const reason = broughtError && REASONS[/** @type {keyof typeof REASONS} */ (broughtError.code)];
    if (broughtError) setText(at['model-error'], reason ? i18n.t(reason) : i18n.errorText(broughtError));
    for (const id of ['model-choose', 'model-back']) at[id].disabled = run.total > 0 || engine.phase !== 'ready';
    at['model-back'].hidden = !brought;
    at['model-keep'].disabled = !brought;
    at['model-keep'].checked = modelKept;
  };
}
