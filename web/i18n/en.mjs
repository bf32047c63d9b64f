// en.mjs: the page in English. The engine's own sentences and the notice come from the engine and the model.
export default {
  'page.title': 'Pleura: chest X-rays analysed on this device',
  'page.tagline': 'Your images never leave this device',
  'page.language': 'Language',
  'page.close': 'Close',
  'page.drop': 'Drop files to analyse',

  'welcome.title': 'Open a chest X‑ray',
  'welcome.ways': 'Choose, paste or drop X-rays here: one image, hundreds, or a whole folder. DICOM, PNG, JPEG or BMP.',
  'welcome.what':
    'Pleura classifies a frontal chest X-ray as COVID-19, pneumonia or normal, highlights the areas behind the result, and says when it cannot decide. Everything runs in this browser; nothing is uploaded. For research and teaching only, not for patient care.',
  'welcome.stuck':
    'The page did not start. Open it from a web address, not from a file on disk, in a current version of Chrome, Edge, Firefox or Safari, with JavaScript on. If it has worked before, go online, close all its tabs and reopen it.',

  'action.choose': 'Choose images',
  'action.add': 'Add images',
  'action.folder': 'Choose a folder',
  'action.camera': 'Take a photo',
  'action.phantom': 'Try a synthetic example',
  'action.clear': 'Remove all images',
  'action.more': 'Menu',
  'action.retry': 'Try again',
  'action.remove': 'Remove this image',
  'action.cancel': 'Cancel',
  'action.reload': 'Reload',
  'action.fetch': 'Download again',
  'action.print': 'Print or save as PDF',
  'action.csv': 'Save as CSV',
  'action.json': 'Save as JSON Lines',

  'label.covid': 'COVID-19',
  'label.pneumonia': 'Pneumonia',
  'label.normal': 'Normal',
  'likeness.covid': 'Of the three categories, this image most resembles X-rays of patients with COVID-19.',
  'likeness.pneumonia': 'Of the three categories, this image most resembles X-rays of patients with other pneumonia.',
  'likeness.normal':
    'Of the three categories, this image most resembles X-rays reported as normal. This does not rule out disease.',
  'likeness.other': 'The model’s closest category is “{label}”.',

  'film.waiting': 'Waiting',
  'film.running': 'Analysing…',
  'film.cancelled': 'Not analysed',
  'film.error': 'Could not be opened',
  'film.uncertain': 'Uncertain',
  'film.refused': 'Not suitable',
  'film.phantom': 'Synthetic example',
  'film.photo': 'Photo {time}',

  'stage.waiting': 'Waiting…',
  'stage.running': 'Analysing…',
  'stage.error': 'No picture: the file could not be opened',
  'stage.cancelled': 'Not analysed',
  'stage.done': 'Select this image again to see it',
  'stage.label': 'X-ray viewer. Press + or − to zoom, arrow keys to pan, 0 to fit.',
  'stage.picture': '{name}, as analysed, with optional lung outline and heatmap',
  'stage.plain': '{name}, as analysed',
  'stage.look': '{zoom} · window {width}, level {centre}',

  'tools.label': 'Overlays on the image',
  'tools.lungs': 'Lung outline',
  'tools.heat': 'Heatmap',
  'tools.look': 'Display settings',
  'tools.in': 'Zoom in',
  'tools.out': 'Zoom out',
  'tools.drag': 'Drag to adjust window and level',
  'tools.window': 'Window',
  'tools.window.film': 'Full range',
  'tools.window.lungs': 'Lung',
  'tools.window.dense': 'Mediastinum',
  'tools.window.own': 'Custom',
  'tools.invert': 'Invert',
  'tools.compare': 'Compare with and without heatmap',
  'tools.reset': 'Reset the view',

  'keys.title': 'Shortcuts',
  'keys.zoom': 'Zoom (also wheel or pinch)',
  'keys.pan': 'Pan (also drag)',
  'keys.window': 'Window and level (also right-drag or Shift-drag)',
  'keys.presets': 'Window preset: full range, lung, mediastinum',
  'keys.fit': 'Reset the view',
  'keys.invert': 'Invert',
  'keys.compare': 'Compare with and without heatmap',
  'keys.heat': 'Heatmap opacity down, up',
  'keys.lungs': 'Lung outline',
  'keys.films': 'Previous, next image',
  'keys.help': 'This list',
  'keys.on': 'Enable single-key shortcuts',

  'reading.synthetic': 'Synthetic image, not a patient',
  'reading.camera': 'Photo: less reliable',
  'reading.probabilities': 'Probabilities',
  'reading.details': 'Details',
  'reading.label': 'Image and result',
  'reading.films': 'Images',
  'reading.later': 'The result will appear here when the analysis is complete.',
  'reading.cancelled': 'Not analysed: you cancelled.',
  'reading.uncertain': 'No category reaches {certain}, the minimum this model needs to give an answer.',
  'reading.close': 'The probabilities are too close to call.',
  'reading.accepted': 'Image check passed.',
  'reading.accepted.why': 'It looks like the frontal chest X-rays the model was trained on.',
  'reading.accepted.score': '{count} of 100 good-quality test images look less typical than this one.',
  'reading.refused': 'Image check failed.',
  'reading.refused.why': 'Probabilities are not shown because they would be meaningless for this image.',
  'reading.legend':
    'Areas that contributed to “{label}”, from little (violet) to most (yellow). This is not a map of lesions.',
  'reading.legend.hidden':
    'The heatmap explains “{label}”, which is not the most likely category at your case mix, so it is hidden.',
  'reading.photo':
    'This is a photo of a film or a screen. Glare, angle and moiré change what the model sees, and the model has not been tested on photos. Use the original file if you can.',

  'fact.size': 'Size',
  'fact.pixels': '{width} × {height} pixels',
  'fact.decoder': 'Decoder',
  'fact.decoder.stb': 'Built in (stb_image): identical on every device',
  'fact.decoder.dicom': 'Built in, with DICOM codecs: identical on every device',
  'fact.decoder.browser': 'This browser’s: another browser may give slightly different results',
  'fact.decoder.camera': 'Camera: results cannot be reproduced exactly',
  'fact.decoder.phantom': 'None (drawn by the engine)',
  'fact.syntax': 'DICOM transfer syntax',
  'fact.frames': 'Frames in the file (only the first is analysed)',
  'fact.bits': 'Result fingerprint',
  'fact.hash': 'SHA-256 of the file',
  'fact.model': 'Model',
  'fact.weights': 'SHA-256 of the weights',
  'fact.temperature': 'Calibration temperature',
  'fact.page': 'Page version',

  'tags.title': 'DICOM tags',
  'tags.note': 'They may identify the patient. They are only shown here, never kept, printed or saved.',
  'tags.show': 'Show the tags',
  'tags.none': 'No other tags.',

  'prevalence.title': 'Adjust for your prevalence',
  'prevalence.own': 'Probabilities assume the case mix of the test images: {mixture}.',
  'prevalence.given': 'Probabilities adjusted to your case mix: {mixture}.',
  'prevalence.question': 'Of every 100 patients you X-ray, how many have each condition?',
  'prevalence.rest': '{label}: {count} (the remainder)',
  'prevalence.back': 'Reset to the test case mix',
  'prevalence.holds':
    'Verdict and probabilities are adjusted by Bayes’ rule. This assumes that each condition looks the same at your site as in the test images. At a hospital new to the model it did not: see “How reliable is this result?” below.',
  'prevalence.none': 'This model does not state its case mix, so its probabilities cannot be adjusted.',
  'prevalence.likeliest':
    'With your case mix, “{label}” is the most likely category. An image alone neither proves nor rules out a disease.',

  'worth.title': 'How reliable is this result?',
  'worth.good': 'For research and teaching: how such models behave and where they fail.',
  'worth.bad': 'Not for patient care. Not for children, lateral views, CT, or patients with one lung.',
  'worth.unseen':
    'At a hospital not used in training, {normal} of normal X-rays were classified as normal and {covid} as COVID-19.',
  'worth.seen': 'At hospitals used in training: sensitivity for COVID-19 {sensitivity}, specificity {specificity}.',
  'worth.within': 'COVID-19 versus other pneumonia from the same source: AUC {auc} (0.5 is chance).',
  'worth.share': '{value} ({low} to {high})',
  'worth.intervals': '95 % confidence intervals in parentheses.',
  'worth.card': 'Model card (in English)',

  'batch.title': 'All images',
  'batch.table': 'Table of images',
  'batch.film': 'Image',
  'batch.verdict': 'Verdict',
  'batch.remark': 'Note',
  'batch.filter': 'Search file names',
  'batch.show': 'Show',
  'batch.all': 'All verdicts',
  'batch.unread': 'Not yet analysed',
  'batch.count': 'Showing {shown} of {total} images',
  'batch.skipped': 'Files skipped because they are not images or could not be opened: {count}',
  'batch.more': 'Show more',
  'batch.retry': 'Retry failed images',
  'batch.cancelled': 'Resume',

  'work.label': 'Progress',
  'work.loading': 'Loading the model: {received} of {total} MB',
  'work.starting': 'Verifying the model…',
  'work.reading': 'Analysing the image…',
  'work.place': 'Analysing image {place} of {total}',
  'work.gathering': 'Scanning the folder…',
  'work.finished': 'Images analysed: {count}.',
  'work.announce': '{name}: {verdict}. {because}',
  'work.share': '{verdict}, {share}',

  'update.label': 'Update',
  'update.available': 'Update available.',
  'update.save': 'Update available. Save your results first: reloading clears this page.',
  'update.entering': 'Reloading…',

  'kept.ready': 'Ready to work offline',
  'kept.mended': 'Ready to work offline: {parts} was damaged on this device and has been downloaded again.',
  'kept.lost':
    'Not ready to work offline: {parts} must be downloaded again, because part of the offline copy is missing. Go online, then choose “Download again”.',
  'part.weights': 'the model file',
  'part.engine': 'the engine',
  'part.page': 'part of the page',

  'model.line': '{model}, licence {license}.',

  'camera.title': 'Photograph an X-ray',
  'camera.warning':
    'Use a photo only as a last resort: glare, angle and moiré change what the model sees, and it has not been tested on photos. The original file is always better. The result is marked as a photo.',
  'camera.how':
    'Fill the frame with the X-ray, hold the camera parallel to it, and keep both lungs in view. The photo is converted to greyscale.',
  'camera.shoot': 'Take photo',
  'camera.opening': 'Opening the camera…',
  'camera.denied':
    'The camera is not available. Allow it for this site in the browser’s settings, or choose a file instead.',

  'requests.title': 'Network activity',
  'requests.none': 'Requests since your first image, apart from this page’s own files: {count}',
  'requests.start': 'Requests since the page was opened: {count}',
  'requests.what': 'Everything this page and its background workers have requested, as recorded by the browser:',
  'requests.file': 'File',
  'requests.who': 'Requested by',
  'requests.size': 'Bytes over the network',
  'requests.page': 'page',
  'requests.worker': 'worker',
  'requests.service': 'service worker',
  'requests.check': 'Check it yourself',
  'requests.check.tools':
    'Open the browser’s developer tools, choose “Network”, and analyse an image: no new entry appears. (The first DICOM file loads the page’s own DICOM reader.)',
  'requests.check.flight': 'Turn the network off, reload this page and analyse an image: it works as before.',
  'requests.check.policy': 'This policy makes the browser block every other server:',

  'history.title': 'Saved results',
  'history.off': 'Nothing is saved: results are lost when you close the page.',
  'history.on':
    'Verdicts, probabilities, file names and small pictures are saved in this browser, on this device only. File names may contain patient names. The images themselves are not saved.',
  'history.switch': 'Save results on this device',
  'history.count': 'Saved results: {count}',
  'history.wipe': 'Delete saved results',
  'history.wiped': 'All saved results deleted.',
  'history.rest':
    'This deletes all saved results and removes all images from the page. The offline copy of this page, which contains no images or results, is kept; to remove it, delete this site’s data in the browser’s settings.',
  'history.full':
    'There is not enough storage for this result, so it was not saved. It is still on the page: save it as CSV, or delete saved results.',
  'history.failed':
    'This browser does not allow the page to store data (usual in private windows). Results stay on the page until you close it.',
  'history.table': 'Table of saved results',
  'history.date': 'Date',
  'history.at': '{verdict} (case mix: {mixture})',

  'adapt.title': 'Adapt to your own images',
  'adapt.what':
    'The model’s last layer can be fitted to your own X-rays with known diagnoses. Everything happens on this device; nothing is uploaded.',
  'adapt.folder':
    'Choose a folder with the subfolders covid, pneumonia and normal, each with its images. DICOM files of one patient are kept together; every other image is treated as a separate patient.',
  'adapt.shipped': 'The original model is in use.',
  'adapt.inforce':
    'Adapted on this device to labelled images ({films}): model file {hash}. The model card’s figures do not apply.',
  'adapt.used': 'The adapted model is in use; every image on the page is being analysed again.',
  'adapt.fitting': 'Fitting and cross-validating…',
  'adapt.few': 'Not enough images.',
  'adapt.need': 'Found only: {lacking}. Each category needs at least {films} images of {patients} patients.',
  'adapt.films': 'Images: {films}; patients: {patients}.',
  'adapt.left':
    'Excluded: {refused} failed the image check, {repeated} duplicates, {other} in other folders, {errors} could not be opened.',
  'adapt.table': 'Before and after',
  'adapt.before': 'Before',
  'adapt.after': 'After',
  'adapt.difference': 'Difference',
  'adapt.balancedAccuracy': 'Balanced accuracy',
  'adapt.accuracy': 'Accuracy',
  'adapt.auc': 'AUC, {label} versus rest',
  'adapt.calibrationError': 'Calibration error (0 is best)',
  'adapt.logLoss': 'Log loss (0 is best)',
  'adapt.better': 'Better on images like these: significantly more often correct.',
  'adapt.calibrated': 'Its probabilities fit images like these better, but it is not significantly more often correct.',
  'adapt.same': 'No clear improvement; the difference may be chance. We suggest discarding it.',
  'adapt.worse': 'Worse than before. We suggest discarding it.',
  'adapt.how':
    'Cross-validated: each image was assessed by a fit that never saw that patient. 95 % confidence intervals in parentheses. Before: the original model at the case mix of your images.',
  'adapt.holds':
    'This holds for your own images and the labels that you gave them. At another site, or with other X-ray equipment, it may be worse.',
  'adapt.keep': 'Keep it',
  'adapt.discard': 'Discard it',
  'adapt.import': 'Import an adaptation',
  'adapt.export': 'Export the adaptation',
  'adapt.back': 'Restore the original model',
  'adapt.memory':
    'The adapted model is lost when you close the page unless saving is on; deleting saved results deletes it too.',

  'report.title': 'Pleura report',
  'report.printed': 'Printed {date}',
  'report.films': 'Images: {count}. {verdicts}',
  'report.verdict': '{verdict}: {count}',

  'problem.wasm-missing':
    'The engine could not be downloaded. Reload the page; there may be a newer version. If that does not help, contact the site’s administrator.',
  'problem.weights-missing':
    'The model file could not be downloaded. Reload the page; there may be a newer version. If that does not help, contact the site’s administrator.',
  'problem.worker-missing':
    'The background worker could not be downloaded. Reload the page; there may be a newer version. If that does not help, contact the site’s administrator.',
  'problem.wasm-altered':
    'The engine that was downloaded is not the one this page was built with: its SHA-256 differs, so it was damaged or tampered with in transit, and was not used. Try again; if this persists, contact the site’s administrator.',
  'problem.weights-altered':
    'The model file that was downloaded is not the one this page was built with: its SHA-256 differs, so it was damaged or tampered with in transit, and was not used. Try again; if this persists, contact the site’s administrator.',
  'problem.wasm-offline':
    'The connection was lost before the engine had downloaded. There is no usable copy on this device: check the connection, then try again.',
  'problem.weights-offline':
    'The connection was lost before the model file had downloaded. There is no usable copy on this device: check the connection, then try again.',
  'problem.codec-missing':
    'The DICOM decoder for this file could not be downloaded. Reload the page; there may be a newer version. If that does not help, contact the site’s administrator.',
  'problem.codec-altered':
    'The DICOM decoder for this file that was downloaded is not the one this page was built with: its SHA-256 differs, so it was damaged or tampered with in transit, and was not used. Try again; if this persists, contact the site’s administrator.',
  'problem.codec-offline':
    'The connection was lost before the DICOM decoder for this file had downloaded. There is no usable copy on this device: check the connection, then try again.',
  'problem.dicom-missing':
    'The DICOM reader could not be downloaded. Reload the page; there may be a newer version. If that does not help, contact the site’s administrator.',
  'problem.no-simd':
    'This browser cannot run WebAssembly with SIMD, which Pleura needs. Use a current version of Chrome, Edge, Firefox or Safari (16.4 or newer), and turn off any lockdown mode for this site.',
  'problem.worker-died':
    'The engine stopped while analysing this file and was restarted; other images are not affected. Try this one again; if it happens twice, save the image as an ordinary PNG.',
  'problem.file-unreadable':
    'The file could not be opened: it may have been moved or changed, or it may be a folder. Choose it again.',
  'problem.file-too-large':
    'The file is over 512 MB, larger than any chest X-ray. Export the image as an ordinary PNG or JPEG.',
  'problem.unexpected': 'Something unexpected went wrong ({what}). Try again, or reload the page.',
  'problem.language-missing': 'That translation could not be loaded. Check the connection, then choose it again.',
  'problem.overlay-damaged':
    'This is not a Pleura adapter file, or it is damaged. Export it again from where it was made.',
  'problem.overlay-foreign': 'This adapter was made for a different model and was not used. Please adapt again.',
  'problem.no-features': 'This model cannot be adapted: its last layer has an unsupported type.',
};
