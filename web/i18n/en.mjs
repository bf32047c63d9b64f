// en.mjs: the page in English; the engine's own sentences and the notice come from the engine
export default {
  'page.title': 'Pleura: chest X-rays read on this device',
  'page.tagline': 'Your films never leave this device',
  'page.language': 'Language',
  'page.close': 'Close',
  'page.drop': 'Drop to read',

  'welcome.title': 'Open a chest X‑ray',
  'welcome.ways': 'Choose it, paste it, or drop it anywhere on this page: one film, hundreds, or a whole folder.',
  'welcome.what':
    'Pleura says COVID-19, pneumonia or normal, shows where the evidence lies, and says so when it cannot tell. It works inside this page: no film, name or result is sent anywhere.',
  'welcome.stuck':
    'The page has not started. Open it through a web server (not straight from a disk) in a current version of Chrome, Edge, Firefox or Safari, with JavaScript on. If it worked before, connect to the network, close every tab of it and open it again.',

  'action.choose': 'Choose films',
  'action.add': 'Add films',
  'action.folder': 'Choose a folder',
  'action.camera': 'Take a photo',
  'action.phantom': 'Try the synthetic phantom',
  'action.clear': 'Clear the page',
  'action.more': 'More',
  'action.retry': 'Try again',
  'action.remove': 'Remove this film',
  'action.cancel': 'Cancel',
  'action.reload': 'Reload',
  'action.fetch': 'Fetch again',
  'action.print': 'Print or save as PDF',
  'action.csv': 'Save as CSV',
  'action.json': 'Save as JSON lines',

  'label.covid': 'COVID-19',
  'label.pneumonia': 'Pneumonia',
  'label.normal': 'Normal',
  'likeness.covid': 'Of the three classes, this film is most like those of people who had COVID-19.',
  'likeness.pneumonia': 'Of the three classes, this film is most like those of people with another pneumonia.',
  'likeness.normal':
    'Of the three classes, this film is most like those read as normal. That does not rule out disease.',
  'likeness.other': 'Of its classes, the model finds this film most like “{label}”.',

  'film.waiting': 'Waiting',
  'film.running': 'Reading…',
  'film.cancelled': 'Cancelled',
  'film.error': 'Not read',
  'film.uncertain': 'Uncertain',
  'film.refused': 'Refused',
  'film.phantom': 'Synthetic phantom',
  'film.photo': 'Photo {time}',

  'stage.waiting': 'Waiting…',
  'stage.running': 'Reading…',
  'stage.error': 'No picture: the file could not be read',
  'stage.cancelled': 'Cancelled',
  'stage.done': 'Select this film again to see it',
  'stage.label': 'Film. Plus and minus zoom, the arrows move, 0 fits.',
  'stage.picture': '{name} as the engine saw it, with the lung outline and the heatmap that can be drawn over it',
  'stage.plain': '{name} as the engine saw it',
  'stage.look': '{zoom} · window {width}, level {centre}',

  'tools.label': 'What is drawn over the film',
  'tools.lungs': 'Lungs',
  'tools.heat': 'Heatmap',
  'tools.look': 'How the film is shown',
  'tools.in': 'Zoom in',
  'tools.out': 'Zoom out',
  'tools.drag': 'Dragging changes window and level',
  'tools.window': 'Contrast',
  'tools.window.film': 'Film',
  'tools.window.lungs': 'Lungs',
  'tools.window.dense': 'Dense',
  'tools.window.own': 'Own',
  'tools.invert': 'Invert',
  'tools.compare': 'Side by side with the heatmap',
  'tools.reset': 'Reset the view',

  'keys.title': 'Shortcuts',
  'keys.zoom': 'Zoom: wheel, pinch or',
  'keys.pan': 'Move: drag or',
  'keys.window': 'Window and level: drag with the right button or with Shift, or',
  'keys.presets': 'Contrast for the film, the lungs, dense parts',
  'keys.fit': 'Reset the view',
  'keys.invert': 'Invert',
  'keys.compare': 'Side by side with the heatmap',
  'keys.heat': 'Heatmap weaker, stronger',
  'keys.lungs': 'Lung outline',
  'keys.films': 'Previous, next film',
  'keys.help': 'This list',
  'keys.on': 'Single keys work as shortcuts',

  'reading.synthetic': 'Synthetic: nobody’s X‑ray',
  'reading.camera': 'Photo: less reliable',
  'reading.probabilities': 'Probabilities',
  'reading.details': 'Details',
  'reading.label': 'Film and reading',
  'reading.films': 'Films',
  'reading.later': 'The result appears here as soon as the engine has read the film.',
  'reading.cancelled': 'This film was not read because you cancelled.',
  'reading.uncertain': 'No class reaches {certain}, the least that this model asks for before it answers.',
  'reading.close': 'The classes are too close to each other for an answer.',
  'reading.accepted': 'Accepted by the gate.',
  'reading.accepted.why': 'A frontal chest film such as the model knows.',
  'reading.accepted.score':
    'Of 100 good films held back from training, {count} lie farther from the usual than this one.',
  'reading.refused': 'Refused by the gate.',
  'reading.refused.why': 'No probabilities are shown: for such an image they would mean nothing.',
  'reading.legend': 'Where the evidence for “{label}” lies, from weak (violet) to strong (yellow).',
  'reading.photo':
    'This is a photo of a film or of a screen. Glare, angle and moiré change what the model sees, and it was never checked on photos. Use the original file where you can.',

  'fact.size': 'Size',
  'fact.pixels': '{width} × {height} pixels',
  'fact.decoder': 'Decoder',
  'fact.decoder.stb': 'Pleura’s own (stb_image), the same everywhere',
  'fact.decoder.dicom': 'Pleura’s own with its DICOM codecs, the same everywhere',
  'fact.decoder.browser': 'this browser’s, so another browser may give other bits',
  'fact.decoder.camera': 'the camera, through this browser: no other photo gives the same bits',
  'fact.decoder.phantom': 'none (drawn by the engine)',
  'fact.syntax': 'DICOM transfer syntax',
  'fact.frames': 'Frames in the file, of which the first is read',
  'fact.bits': 'Bits of the answer',
  'fact.hash': 'SHA-256 of the file',
  'fact.model': 'Model',
  'fact.weights': 'SHA-256 of the weights',
  'fact.temperature': 'Temperature of calibration',
  'fact.page': 'Version of the page',

  'tags.title': 'Tags of the DICOM file',
  'tags.note': 'They may name the patient. They are shown here only: never kept, printed or saved.',
  'tags.show': 'Show the tags',
  'tags.none': 'The file says nothing more.',

  'prevalence.title': 'Your own prevalence',
  'prevalence.own': 'Probabilities for the mixture of the checked films: {mixture}.',
  'prevalence.given': 'Probabilities for your own mixture: {mixture}.',
  'prevalence.question': 'Of 100 people whose films you read, how many belong to each class?',
  'prevalence.rest': '{label}: the rest, {count}',
  'prevalence.back': 'As in the checked films',
  'prevalence.holds':
    'Verdict and probabilities follow by Bayes’ rule. That takes the films of each class to look at your place as the checked ones do; at a hospital that the model had never seen they did not: see below what this answer is worth.',
  'prevalence.none':
    'The probabilities cannot be moved to your own prevalence: these weights do not say for which mixture of classes they stand.',
  'prevalence.likeliest':
    'At your own mixture, “{label}” is the likeliest of the classes. A film alone neither proves nor rules out a disease.',

  'worth.title': 'What this answer is worth',
  'worth.good': 'Good for research and teaching: how such a model behaves, and where it fails.',
  'worth.bad': 'Not for patients. Not for children, lateral films, CT, or films with a lung missing.',
  'worth.unseen': 'Normal films of a hospital that it had never seen: {normal} were called normal, {covid} COVID-19.',
  'worth.seen':
    'Films of hospitals it was trained on: sensitivity for COVID-19 {sensitivity}, specificity {specificity}.',
  'worth.within': 'COVID-19 against other pneumonia within one source: AUC {auc}. 0.5 is chance.',
  'worth.share': '{value} ({low} to {high})',
  'worth.intervals': 'In brackets: 95 % intervals.',
  'worth.card': 'Model card (in English)',

  'batch.title': 'All films',
  'batch.table': 'Table of films',
  'batch.film': 'Film',
  'batch.verdict': 'Verdict',
  'batch.remark': 'Remark',
  'batch.filter': 'Find in names',
  'batch.show': 'Show',
  'batch.all': 'All verdicts',
  'batch.unread': 'Waiting or cancelled',
  'batch.count': 'Films shown: {shown} of {total}',
  'batch.skipped': 'Files left out because they are no films or cannot be read: {count}',
  'batch.more': 'Show more',
  'batch.retry': 'Try the failed films again',
  'batch.cancelled': 'Read the cancelled films',

  'work.label': 'Progress',
  'work.loading': 'Loading the model: {received} of {total} MB',
  'work.starting': 'Checking the model and testing the engine…',
  'work.reading': 'Reading the film…',
  'work.place': 'Reading film {place} of {total}',
  'work.gathering': 'Looking through the folder…',
  'work.finished': 'Films finished: {count}.',
  'work.announce': '{name}: {verdict}. {because}',
  'work.share': '{verdict}, {share}',

  'update.label': 'Update',
  'update.available': 'Update available.',
  'update.save': 'Update available. Save your results first: reloading clears this page.',
  'update.entering': 'Reloading…',

  'kept.ready': 'Ready to work offline',
  'kept.mended': 'Ready to work offline: {parts} had been lost or altered on this device and was fetched again.',
  'kept.lost':
    'Not ready to work offline: {parts} must be fetched again, because this device no longer holds it whole. Connect to the network, then choose “Fetch again”.',
  'part.weights': 'the file of weights',
  'part.engine': 'the engine',
  'part.page': 'a part of the page',

  'model.line': '{model}, licence {license}.',

  'camera.title': 'Photograph a film',
  'camera.warning':
    'A photo is the last resort: glare, angle and moiré change what the model sees, and it was never checked on photos. The original file is always better. The result is marked as a photo.',
  'camera.how':
    'Fill the picture with the film, hold the camera parallel to it, and keep both lungs in view. Colours are dropped.',
  'camera.shoot': 'Take the photo',
  'camera.opening': 'Opening the camera…',
  'camera.denied':
    'The camera cannot be used. Allow it for this site in the browser’s settings, or choose a file instead.',

  'requests.title': 'What was requested',
  'requests.none': 'Requests since your first film, beside parts of this page: {count}',
  'requests.start': 'Requests since the page was opened: {count}',
  'requests.what':
    'Everything that this page, its worker and its service worker have asked for, as the browser itself has counted it:',
  'requests.file': 'File',
  'requests.who': 'Asked by',
  'requests.size': 'Bytes over the network',
  'requests.page': 'page',
  'requests.worker': 'worker',
  'requests.service': 'service worker',
  'requests.check': 'Check it yourself',
  'requests.check.tools': 'Open the browser’s developer tools, choose “Network”, and read a film: no line is added.',
  'requests.check.flight': 'Switch the network off, reload this page and read a film: it works as before.',
  'requests.check.policy': 'The browser itself forbids this page every other server, by this policy:',

  'history.title': 'Results on this device',
  'history.off': 'Nothing is kept: when you close the page, all results are gone.',
  'history.on':
    'Verdicts, probabilities, file names and small pictures are kept in this browser, on this device only. File names may hold names of patients. Films are not kept.',
  'history.switch': 'Keep results on this device',
  'history.count': 'Results kept: {count}',
  'history.wipe': 'Wipe everything',
  'history.wiped': 'Everything was wiped.',
  'history.rest':
    'Wiping deletes all results kept on this device and clears the page. The copy of the page for use offline holds no film and no result and stays; to remove it, delete the data of this site in the browser’s settings.',
  'history.full':
    'This device has no room left for results, so this one was not kept. It is still on the page: save it as CSV, or wipe what is kept.',
  'history.failed':
    'This browser does not let the page keep anything, as private windows often do not. The results stay on the page until you close it.',
  'history.table': 'Table of results kept',
  'history.date': 'Date',
  'history.at': '{verdict} (at {mixture})',

  'adapt.title': 'Adapt to your own films',
  'adapt.what':
    'The last step of the model can be fitted to films of your own whose diagnosis you know. Everything happens on this device: no film and no number leaves it.',
  'adapt.folder':
    'Choose a folder with the sub-folders covid, pneumonia and normal, each with its films. DICOM films of one patient are kept together; any other film counts as a patient of its own.',
  'adapt.shipped': 'The shipped weights are in use.',
  'adapt.inforce':
    'Adapted on this device to labelled films ({films}): weights {hash}. The figures of the model card do not hold for it.',
  'adapt.used': 'The adapted weights are in use; all films on the page are read again.',
  'adapt.fitting': 'Fitting, and checking it on films left out…',
  'adapt.few': 'Too few films to adapt to.',
  'adapt.need':
    'Films found of the classes that lack them: {lacking}. Each class needs {films} films of {patients} patients.',
  'adapt.films': 'Films: {films}; patients: {patients}.',
  'adapt.left':
    'Left out: refused by the gate {refused}, given twice {repeated}, in other folders {other}, not readable {errors}.',
  'adapt.table': 'Before and after',
  'adapt.before': 'Before',
  'adapt.after': 'After',
  'adapt.difference': 'Difference',
  'adapt.balancedAccuracy': 'Rightly called, mean over the classes',
  'adapt.accuracy': 'Rightly called, all films',
  'adapt.auc': '{label} against the rest, AUC',
  'adapt.calibrationError': 'Calibration error (0 is best)',
  'adapt.logLoss': 'Log loss: doubt about the true class (0 is best)',
  'adapt.better': 'Better on films like these: it is right more often, beyond chance.',
  'adapt.calibrated': 'Its probabilities fit films like these better, but it is not shown to be right more often.',
  'adapt.same': 'No better: the difference may be chance. Discard it.',
  'adapt.worse': 'Worse than before. Discard it.',
  'adapt.how':
    'Each film was judged by a fit made without it and without its patient. In brackets: 95 % intervals. Before: the shipped weights at the mixture of your films.',
  'adapt.holds':
    'This holds for your own films and the labels that you gave them. At another place, or with another machine, it may be worse than before.',
  'adapt.keep': 'Keep it',
  'adapt.discard': 'Discard it',
  'adapt.import': 'Import an adaptation',
  'adapt.export': 'Export the adaptation',
  'adapt.back': 'Back to the shipped weights',
  'adapt.memory':
    'An adaptation is gone when you close the page, unless results are kept on this device; wiping them wipes it, too.',

  'report.title': 'Pleura: report',
  'report.printed': 'Printed {date}',
  'report.films': 'Films: {count}. {verdicts}',
  'report.verdict': '{verdict}: {count}',

  'problem.wasm-missing':
    'The engine could not be fetched from this site. If the page has been open for long, reload it, because the site may have a newer version; otherwise the site is incomplete: tell whoever runs it.',
  'problem.weights-missing':
    'The file of weights could not be fetched from this site. If the page has been open for long, reload it, because the site may have a newer version; otherwise the site is incomplete: tell whoever runs it.',
  'problem.worker-missing':
    'The part of the page that computes could not be fetched from this site. If the page has been open for long, reload it, because the site may have a newer version; otherwise the site is incomplete: tell whoever runs it.',
  'problem.wasm-altered':
    'The engine that arrived is not the one this page was built with: its SHA-256 differs, so it was damaged or replaced on the way. Nothing of it was used. Try again; if it stays so, tell whoever runs this site.',
  'problem.weights-altered':
    'The file of weights that arrived is not the one this page was built with: its SHA-256 differs, so it was damaged or replaced on the way. Nothing of it was used. Try again; if it stays so, tell whoever runs this site.',
  'problem.wasm-offline':
    'The connection broke off before the engine had arrived. It is not stored on this device, or no longer, and must be fetched from this site: check the connection, then try again.',
  'problem.weights-offline':
    'The connection broke off before the file of weights had arrived. It is not stored on this device, or no longer, and must be fetched from this site: check the connection, then try again.',
  'problem.codec-missing':
    'The decoder of this kind of DICOM file could not be fetched from this site. If the page has been open for long, reload it, because the site may have a newer version; otherwise the site is incomplete: tell whoever runs it.',
  'problem.codec-altered':
    'The decoder of this kind of DICOM file that arrived is not the one this page was built with: its SHA-256 differs, so it was damaged or replaced on the way. Nothing of it was used. Try again; if it stays so, tell whoever runs this site.',
  'problem.codec-offline':
    'The connection broke off before the decoder of this kind of DICOM file had arrived. It is not stored on this device, or no longer, and must be fetched from this site: check the connection, then try again.',
  'problem.dicom-missing':
    'The part of the page that reads DICOM could not be fetched from this site. If the page has been open for long, reload it, because the site may have a newer version; otherwise the site is incomplete: tell whoever runs it.',
  'problem.no-simd':
    'This browser cannot run WebAssembly with SIMD, which Pleura needs. Use a current version of Chrome, Edge, Firefox or Safari (16.4 or newer), and switch off any lockdown mode for this site.',
  'problem.worker-died':
    'The engine stopped while it read this file and was started again; the other films are not affected. Try this one again; if it happens twice, save the film as an ordinary PNG.',
  'problem.file-unreadable':
    'The file could not be read from this device: it may have been moved, changed, or be a folder. Choose it again.',
  'problem.file-too-large':
    'The file is larger than 512 MB, which no chest film is. Export the film as an ordinary PNG or JPEG.',
  'problem.unexpected': 'Something unforeseen went wrong ({what}). Try again, or reload the page.',
  'problem.language-missing':
    'The words of that language could not be fetched. Check the connection, then choose it again.',
  'problem.overlay-damaged':
    'This is no adaptation file of Pleura, or it is damaged. Export it again from where it was made.',
  'problem.overlay-foreign':
    'This adaptation belongs to other weights than those of this page, so it was not used. Adapt anew.',
  'problem.no-features': 'These weights cannot be adapted: their last layer is of another kind.',
};
