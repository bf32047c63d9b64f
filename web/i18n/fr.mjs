// fr.mjs: the page, the engine's sentences and the notice in French, with its unbreakable blanks before : ; ? ! and
// inside « »
/** @param {string} what */
const missing = (what) =>
  `${what} n’a pas pu être récupéré sur ce site. Si la page est ouverte depuis longtemps, rechargez-la, car le site a peut-être une version plus récente ; sinon le site est incomplet : prévenez la personne qui le gère.`;
/** @param {string} what */
const altered = (what) =>
  `${what} qui est arrivé n’est pas celui de cette page : son SHA-256 diffère, il a donc été endommagé ou remplacé en chemin. Rien n’en a été utilisé. Réessayez ; si cela persiste, prévenez la personne qui gère ce site.`;
/** @param {string} what */
const offline = (what) =>
  `La connexion s’est interrompue avant l’arrivée de cet élément : ${what}. Il n’est pas, ou plus, conservé sur cet appareil et doit être récupéré sur ce site : vérifiez la connexion, puis réessayez.`;

export default {
  'page.title': 'Pleura : des radiographies du thorax lues sur cet appareil',
  'page.tagline': 'Vos clichés ne quittent jamais cet appareil',
  'page.language': 'Langue',
  'page.close': 'Fermer',
  'page.drop': 'Déposez pour lire',

  'welcome.title': 'Ouvrez une radiographie du thorax',
  'welcome.ways':
    'Choisissez-la, collez-la ou déposez-la n’importe où sur cette page : un cliché, des centaines ou un dossier entier.',
  'welcome.what':
    'Pleura répond COVID-19, pneumonie ou normal, montre où se trouvent les indices et le dit quand il ne peut pas trancher. Tout se passe dans cette page : aucun cliché, aucun nom, aucun résultat n’est envoyé où que ce soit.',
  'welcome.stuck':
    'La page n’a pas démarré. Ouvrez-la par un serveur web (pas directement depuis un disque) dans une version actuelle de Chrome, Edge, Firefox ou Safari, avec JavaScript activé. Si elle fonctionnait auparavant, connectez-vous au réseau, fermez tous ses onglets et ouvrez-la de nouveau.',

  'action.choose': 'Choisir des clichés',
  'action.add': 'Ajouter',
  'action.folder': 'Choisir un dossier',
  'action.camera': 'Prendre une photo',
  'action.phantom': 'Essayer le fantôme synthétique',
  'action.clear': 'Vider la page',
  'action.more': 'Plus',
  'action.retry': 'Réessayer',
  'action.remove': 'Retirer ce cliché',
  'action.cancel': 'Annuler',
  'action.reload': 'Recharger',
  'action.fetch': 'Récupérer de nouveau',
  'action.print': 'Imprimer ou enregistrer en PDF',
  'action.csv': 'Enregistrer en CSV',
  'action.json': 'Enregistrer en lignes JSON',

  'label.covid': 'COVID-19',
  'label.pneumonia': 'Pneumonie',
  'label.normal': 'Normal',
  'likeness.covid': 'Des trois classes, ce cliché ressemble le plus à ceux de personnes atteintes de la COVID-19.',
  'likeness.pneumonia':
    'Des trois classes, ce cliché ressemble le plus à ceux de personnes atteintes d’une autre pneumonie.',
  'likeness.normal':
    'Des trois classes, ce cliché ressemble le plus à ceux interprétés comme normaux. Cela n’exclut pas une maladie.',
  'likeness.other': 'Parmi ses classes, le modèle rapproche surtout ce cliché de « {label} ».',

  'film.waiting': 'En attente',
  'film.running': 'Lecture…',
  'film.cancelled': 'Annulé',
  'film.error': 'Non lu',
  'film.uncertain': 'Incertain',
  'film.refused': 'Refusé',
  'film.phantom': 'Fantôme synthétique',
  'film.photo': 'Photo du {time}',

  'stage.waiting': 'En attente…',
  'stage.running': 'Lecture…',
  'stage.error': 'Pas d’image : le fichier n’a pas pu être lu',
  'stage.cancelled': 'Annulé',
  'stage.done': 'Sélectionnez de nouveau ce cliché pour le voir',
  'stage.label': 'Cliché. Plus et moins agrandissent et réduisent, les flèches déplacent, 0 ajuste.',
  'stage.picture':
    '{name} tel que le moteur l’a vu, avec le contour des poumons et la carte de chaleur qui peuvent le recouvrir',
  'stage.plain': '{name} tel que le moteur l’a vu',
  'stage.look': '{zoom} · fenêtre {width}, niveau {centre}',

  'tools.label': 'Ce qui est dessiné sur le cliché',
  'tools.lungs': 'Poumons',
  'tools.heat': 'Carte de chaleur',
  'tools.look': 'Affichage du cliché',
  'tools.in': 'Agrandir',
  'tools.out': 'Réduire',
  'tools.drag': 'Glisser change la fenêtre et le niveau',
  'tools.window': 'Contraste',
  'tools.window.film': 'Cliché',
  'tools.window.lungs': 'Poumon',
  'tools.window.dense': 'Dense',
  'tools.window.own': 'Libre',
  'tools.invert': 'Inverser',
  'tools.compare': 'Côte à côte avec la carte de chaleur',
  'tools.reset': 'Rétablir l’affichage',

  'keys.title': 'Raccourcis',
  'keys.zoom': 'Agrandir, réduire : molette, deux doigts ou',
  'keys.pan': 'Déplacer : glisser ou',
  'keys.window': 'Fenêtre et niveau : glisser avec le bouton droit ou avec Maj, ou',
  'keys.presets': 'Contraste pour le cliché, les poumons, les parties denses',
  'keys.fit': 'Rétablir l’affichage',
  'keys.invert': 'Inverser',
  'keys.compare': 'Côte à côte avec la carte de chaleur',
  'keys.heat': 'Carte de chaleur plus faible, plus forte',
  'keys.lungs': 'Contour des poumons',
  'keys.films': 'Cliché précédent, suivant',
  'keys.help': 'Cette liste',
  'keys.on': 'Les touches seules servent de raccourcis',

  'reading.synthetic': 'Synthétique : la radiographie de personne',
  'reading.camera': 'Photo : moins fiable',
  'reading.probabilities': 'Probabilités',
  'reading.details': 'Détails',
  'reading.label': 'Cliché et lecture',
  'reading.films': 'Clichés',
  'reading.later': 'Le résultat apparaîtra ici dès que le moteur aura lu le cliché.',
  'reading.cancelled': 'Ce cliché n’a pas été lu parce que vous avez annulé.',
  'reading.uncertain': 'Aucune classe n’atteint {certain}, le minimum que ce modèle exige avant de répondre.',
  'reading.close': 'Les classes sont trop proches les unes des autres pour une réponse.',
  'reading.accepted': 'Admis par le filtre.',
  'reading.accepted.why': 'Un cliché thoracique de face tel que le modèle en connaît.',
  'reading.accepted.score':
    'Sur 100 bons clichés tenus à l’écart de l’entraînement, {count} s’éloignent davantage de l’ordinaire que celui-ci.',
  'reading.refused': 'Refusé par le filtre.',
  'reading.refused.why': 'Aucune probabilité n’est affichée : pour une telle image elles n’auraient pas de sens.',
  'reading.legend': 'Où se trouvent les indices de « {label} », de faibles (violet) à forts (jaune).',
  'reading.photo':
    'Ceci est la photo d’un cliché ou d’un écran. Les reflets, l’angle et le moiré changent ce que voit le modèle, qui n’a jamais été vérifié sur des photos. Utilisez le fichier d’origine chaque fois que possible.',

  'fact.size': 'Taille',
  'fact.pixels': '{width} × {height} pixels',
  'fact.decoder': 'Décodeur',
  'fact.decoder.stb': 'celui de Pleura (stb_image), partout le même',
  'fact.decoder.dicom': 'celui de Pleura avec ses codecs DICOM, partout le même',
  'fact.decoder.browser': 'celui de ce navigateur ; un autre navigateur peut donner d’autres bits',
  'fact.decoder.camera': 'l’appareil photo, par ce navigateur : aucune autre photo ne donne les mêmes bits',
  'fact.decoder.phantom': 'aucun (image dessinée par le moteur)',
  'fact.syntax': 'Syntaxe de transfert DICOM',
  'fact.frames': 'Images dans le fichier, dont la première est lue',
  'fact.bits': 'Bits de la réponse',
  'fact.hash': 'SHA-256 du fichier',
  'fact.model': 'Modèle',
  'fact.weights': 'SHA-256 des poids',
  'fact.temperature': 'Température du calibrage',
  'fact.page': 'Version de la page',

  'tags.title': 'Champs du fichier DICOM',
  'tags.note': 'Ils peuvent nommer le patient. Ils ne sont affichés qu’ici : jamais conservés, imprimés ni exportés.',
  'tags.show': 'Afficher les champs',
  'tags.none': 'Le fichier ne dit rien de plus.',

  'prevalence.title': 'Votre propre prévalence',
  'prevalence.own': 'Probabilités pour le mélange de classes des clichés de vérification : {mixture}.',
  'prevalence.given': 'Probabilités pour votre propre mélange : {mixture}.',
  'prevalence.question': 'Sur 100 personnes dont vous lisez les clichés, combien relèvent de chaque classe ?',
  'prevalence.rest': '{label} : le reste, {count}',
  'prevalence.back': 'Comme dans ceux de vérification',
  'prevalence.holds':
    'Le résultat et les probabilités suivent la règle de Bayes. Cela suppose que, chez vous, les clichés de chaque classe ressemblent à ceux de vérification ; dans un hôpital que le modèle n’avait jamais vu, ce n’était pas le cas : voyez plus bas ce que vaut cette réponse.',
  'prevalence.none':
    'Les probabilités ne peuvent pas être ramenées à votre propre prévalence : ces poids ne disent pas à quel mélange de classes elles correspondent.',
  'prevalence.likeliest':
    'Pour votre propre mélange, la classe la plus probable est « {label} ». Un cliché seul ne prouve ni n’exclut une maladie.',

  'worth.title': 'Ce que vaut cette réponse',
  'worth.good': 'Convient à la recherche et à l’enseignement : comment un tel modèle se comporte, et où il échoue.',
  'worth.bad':
    'Pas pour des patients. Ni pour les enfants, les clichés de profil, le scanner ou les clichés où manque un poumon.',
  'worth.unseen':
    'Clichés normaux d’un hôpital qu’il n’avait jamais vu : {normal} ont été dits normaux, {covid} COVID-19.',
  'worth.seen':
    'Clichés d’hôpitaux de l’entraînement : sensibilité pour la COVID-19 {sensitivity}, spécificité {specificity}.',
  'worth.within': 'COVID-19 contre autre pneumonie au sein d’une même source : AUC {auc}. 0,5 est le hasard.',
  'worth.share': '{value} ({low} à {high})',
  'worth.intervals': 'Entre parenthèses : intervalles à 95 %.',
  'worth.card': 'Fiche du modèle (en anglais)',

  'batch.title': 'Tous les clichés',
  'batch.table': 'Tableau des clichés',
  'batch.film': 'Cliché',
  'batch.verdict': 'Résultat',
  'batch.remark': 'Remarque',
  'batch.filter': 'Chercher dans les noms',
  'batch.show': 'Afficher',
  'batch.all': 'Tous les résultats',
  'batch.unread': 'En attente ou annulés',
  'batch.count': 'Clichés affichés : {shown} sur {total}',
  'batch.skipped': 'Fichiers laissés de côté, qui ne sont pas des clichés ou n’ont pas pu être lus : {count}',
  'batch.more': 'Afficher la suite',
  'batch.retry': 'Réessayer les clichés en échec',
  'batch.cancelled': 'Lire les clichés annulés',

  'work.label': 'Avancement',
  'work.loading': 'Chargement du modèle : {received} sur {total} Mo',
  'work.starting': 'Vérification du modèle et essai du moteur…',
  'work.reading': 'Lecture du cliché…',
  'work.place': 'Lecture du cliché {place} sur {total}',
  'work.gathering': 'Parcours du dossier…',
  'work.finished': 'Clichés terminés : {count}.',
  'work.announce': '{name} : {verdict}. {because}',
  'work.share': '{verdict}, {share}',

  'update.label': 'Mise à jour',
  'update.available': 'Une mise à jour est disponible.',
  'update.save': 'Une mise à jour est disponible. Enregistrez d’abord vos résultats : recharger vide cette page.',
  'update.entering': 'Rechargement…',

  'kept.ready': 'Prêt à fonctionner hors connexion',
  'kept.mended':
    'Prêt à fonctionner hors connexion : perte ou altération sur cet appareil, récupération faite : {parts}.',
  'kept.lost':
    'Pas prêt à fonctionner hors connexion ; à récupérer de nouveau, car cet appareil ne le conserve plus entier : {parts}. Connectez-vous au réseau, puis choisissez « Récupérer de nouveau ».',
  'part.weights': 'le fichier des poids',
  'part.engine': 'le moteur',
  'part.page': 'une partie de la page',

  'model.line': '{model}, licence {license}.',

  'camera.title': 'Photographier un cliché',
  'camera.warning':
    'Une photo est le dernier recours : les reflets, l’angle et le moiré changent ce que voit le modèle, qui n’a jamais été vérifié sur des photos. Le fichier d’origine vaut toujours mieux. Le résultat est marqué comme photo.',
  'camera.how':
    'Remplissez l’image avec le cliché, tenez l’appareil parallèle à lui et gardez les deux poumons visibles. Les couleurs sont ignorées.',
  'camera.shoot': 'Prendre la photo',
  'camera.opening': 'Ouverture de l’appareil photo…',
  'camera.denied':
    'L’appareil photo ne peut pas être utilisé. Autorisez-le pour ce site dans les réglages du navigateur, ou choisissez un fichier.',

  'requests.title': 'Ce qui a été demandé',
  'requests.none': 'Requêtes depuis votre premier cliché, hors parties de cette page : {count}',
  'requests.start': 'Requêtes depuis l’ouverture de la page : {count}',
  'requests.what':
    'Tout ce que cette page, son processus de calcul et son service worker ont demandé, tel que le navigateur lui-même l’a compté :',
  'requests.file': 'Fichier',
  'requests.who': 'Demandé par',
  'requests.size': 'Octets par le réseau',
  'requests.page': 'page',
  'requests.worker': 'processus de calcul',
  'requests.service': 'service worker',
  'requests.check': 'Vérifiez vous-même',
  'requests.check.tools':
    'Ouvrez les outils de développement du navigateur, choisissez « Réseau » et lisez un cliché : aucune ligne ne s’ajoute.',
  'requests.check.flight': 'Coupez le réseau, rechargez cette page et lisez un cliché : tout fonctionne comme avant.',
  'requests.check.policy': 'Le navigateur lui-même interdit à cette page tout autre serveur, par cette règle :',

  'history.title': 'Résultats sur cet appareil',
  'history.off': 'Rien n’est conservé : à la fermeture de la page, tous les résultats disparaissent.',
  'history.on':
    'Résultats, probabilités, noms de fichiers et petites images sont conservés dans ce navigateur, sur cet appareil seulement. Les noms de fichiers peuvent contenir des noms de patients. Les clichés ne sont pas conservés.',
  'history.switch': 'Conserver les résultats sur cet appareil',
  'history.count': 'Résultats conservés : {count}',
  'history.wipe': 'Tout effacer',
  'history.wiped': 'Tout a été effacé.',
  'history.rest':
    'L’effacement supprime tous les résultats conservés sur cet appareil et vide la page. La copie de la page pour l’usage hors connexion ne contient ni cliché ni résultat et reste ; pour la retirer, supprimez les données de ce site dans les réglages du navigateur.',
  'history.full':
    'Il n’y a plus de place pour des résultats sur cet appareil ; celui-ci n’a donc pas été conservé. Il est encore sur la page : enregistrez-le en CSV ou effacez ce qui est conservé.',
  'history.failed':
    'Ce navigateur n’autorise pas la page à conserver quoi que ce soit, comme souvent dans une fenêtre privée. Les résultats restent sur la page jusqu’à sa fermeture.',
  'history.table': 'Tableau des résultats conservés',
  'history.date': 'Date',
  'history.at': '{verdict} (pour {mixture})',

  'adapt.title': 'Adapter à vos propres clichés',
  'adapt.what':
    'La dernière étape du modèle peut être ajustée à vos clichés dont vous connaissez le diagnostic. Tout se passe sur cet appareil : aucun cliché ni aucun nombre ne le quitte.',
  'adapt.folder':
    'Choisissez un dossier avec les sous-dossiers covid, pneumonia et normal, chacun avec ses clichés. Les clichés DICOM d’un même patient restent ensemble ; tout autre cliché compte comme un patient à part.',
  'adapt.shipped': 'Les poids d’origine sont utilisés.',
  'adapt.inforce':
    'Adapté sur cet appareil à des clichés étiquetés ({films}) : poids {hash}. Les chiffres de la fiche du modèle ne valent pas pour lui.',
  'adapt.used': 'Les poids adaptés sont utilisés ; tous les clichés de la page sont relus.',
  'adapt.fitting': 'Ajustement, et vérification sur des clichés mis de côté…',
  'adapt.few': 'Trop peu de clichés pour adapter.',
  'adapt.need':
    'Clichés trouvés pour les classes qui en manquent : {lacking}. Chaque classe demande {films} clichés de {patients} patients.',
  'adapt.films': 'Clichés : {films} ; patients : {patients}.',
  'adapt.left':
    'Écartés : refusés par le filtre {refused}, donnés deux fois {repeated}, dans d’autres dossiers {other}, illisibles {errors}.',
  'adapt.table': 'Avant et après',
  'adapt.before': 'Avant',
  'adapt.after': 'Après',
  'adapt.difference': 'Différence',
  'adapt.balancedAccuracy': 'Bien classés, moyenne des classes',
  'adapt.accuracy': 'Bien classés, tous les clichés',
  'adapt.auc': '{label} contre le reste, AUC',
  'adapt.calibrationError': 'Erreur de calibration (0 est le mieux)',
  'adapt.logLoss': 'Perte logarithmique : doute sur la vraie classe (0 est le mieux)',
  'adapt.better': 'Meilleur sur des clichés comme ceux-ci : il a plus souvent raison, au-delà du hasard.',
  'adapt.calibrated':
    'Ses probabilités conviennent mieux à des clichés comme ceux-ci, mais rien ne montre qu’il ait plus souvent raison.',
  'adapt.same': 'Pas meilleur : la différence peut être due au hasard. Abandonnez-le.',
  'adapt.worse': 'Moins bon qu’avant. Abandonnez-le.',
  'adapt.how':
    'Chaque cliché a été jugé par un ajustement fait sans lui et sans son patient. Entre parenthèses : intervalles à 95 %. Avant : les poids d’origine, avec la répartition de vos clichés.',
  'adapt.holds':
    'Cela vaut pour vos clichés et les étiquettes que vous leur avez données. Ailleurs, ou avec un autre appareil de radiologie, ce peut être moins bon qu’avant.',
  'adapt.keep': 'Garder',
  'adapt.discard': 'Abandonner',
  'adapt.import': 'Importer une adaptation',
  'adapt.export': 'Exporter l’adaptation',
  'adapt.back': 'Revenir aux poids d’origine',
  'adapt.memory':
    'Une adaptation disparaît à la fermeture de la page, sauf si les résultats sont gardés sur cet appareil ; les effacer l’efface aussi.',

  'report.title': 'Pleura : rapport',
  'report.printed': 'Imprimé le {date}',
  'report.films': 'Clichés : {count}. {verdicts}',
  'report.verdict': '{verdict} : {count}',

  'problem.wasm-missing': missing('Le moteur'),
  'problem.weights-missing': missing('Le fichier des poids'),
  'problem.worker-missing': missing('Le composant de calcul de la page'),
  'problem.codec-missing': missing('Le décodeur de ce type de fichier DICOM'),
  'problem.dicom-missing': missing('Le lecteur de fichiers DICOM'),
  'problem.wasm-altered': altered('Le moteur'),
  'problem.weights-altered': altered('Le fichier des poids'),
  'problem.codec-altered': altered('Le décodeur de ce type de fichier DICOM'),
  'problem.wasm-offline': offline('le moteur'),
  'problem.weights-offline': offline('le fichier des poids'),
  'problem.codec-offline': offline('le décodeur de ce type de fichier DICOM'),
  'problem.no-simd':
    'Ce navigateur ne peut pas exécuter WebAssembly avec SIMD, dont Pleura a besoin. Utilisez une version actuelle de Chrome, Edge, Firefox ou Safari (16.4 ou plus récent) et désactivez tout mode d’isolement pour ce site.',
  'problem.worker-died':
    'Le moteur s’est arrêté pendant la lecture de ce fichier et a été relancé ; les autres clichés ne sont pas touchés. Réessayez ; si cela se répète, enregistrez le cliché comme PNG ordinaire.',
  'problem.file-unreadable':
    'Le fichier n’a pas pu être lu sur cet appareil : il a peut-être été déplacé ou modifié, ou c’est un dossier. Choisissez-le de nouveau.',
  'problem.file-too-large':
    'Le fichier dépasse 512 Mo, ce qu’aucun cliché thoracique n’atteint. Exportez le cliché comme PNG ou JPEG ordinaire.',
  'problem.unexpected': 'Un imprévu s’est produit ({what}). Réessayez ou rechargez la page.',
  'problem.language-missing':
    'Les textes de cette langue n’ont pas pu être récupérés. Vérifiez la connexion, puis choisissez-la de nouveau.',

  'problem.out-of-memory': 'La mémoire ne suffit pas. Fermez d’autres programmes ou utilisez une image plus petite.',
  'problem.not-a-model': 'Les poids ne sont pas un fichier GGUF. Récupérez de nouveau le fichier pleura.gguf.',
  'problem.model-version':
    'Les poids sont dans une version de GGUF autre que la 3. Récupérez les poids qui vont avec cette version de Pleura.',
  'problem.model-damaged': 'Les poids sont endommagés ou incomplets. Récupérez de nouveau le fichier pleura.gguf.',
  'problem.model-unsupported': 'Les poids décrivent un réseau que ce moteur ne peut pas exécuter.',
  'problem.self-test':
    'Cette machine ou ce navigateur calcule d’autres bits que ceux avec lesquels le modèle a été vérifié ; ses résultats ne sont donc pas fiables. Mettez-le à jour ou utilisez-en un autre.',
  'problem.no-prior':
    'Ces poids ne disent pas à quel mélange de classes correspondent leurs probabilités, qui ne peuvent donc pas être ramenées à une autre prévalence. Utilisez des poids qui contiennent pleura.prior.',
  'problem.prevalence': 'Une prévalence est une part pour chaque classe, aucune inférieure à 0 et toutes ensemble 1.',
  'problem.no-film': 'Aucun cliché n’a encore été analysé. Analysez-en un d’abord.',
  'problem.empty-file': 'Le fichier est vide. Copiez-le de nouveau depuis son origine.',
  'problem.not-an-image':
    'Ce n’est pas une image que Pleura sait lire. Utilisez un fichier PNG, JPEG, BMP ou DICOM d’une radiographie du thorax.',
  'problem.image-damaged':
    'L’image est endommagée ou incomplète. Copiez-la ou exportez-la de nouveau depuis son origine.',
  'problem.image-unsupported':
    'Pleura ne sait pas lire le codage de cette image. Enregistrez-la comme PNG ou JPEG ordinaire.',
  'problem.image-too-large':
    'L’image est trop grande : au plus 16 384 pixels par côté et 64 millions en tout. Exportez-la en plus petit.',
  'problem.image-too-small':
    'L’image est trop petite : il faut au moins 64 pixels par côté. Utilisez le cliché d’origine, pas une vignette.',
  'problem.dicom-damaged': 'Ce fichier DICOM est endommagé ou incomplet. Exportez-le de nouveau depuis son origine.',
  'problem.dicom-index':
    'Ceci est l’index d’un disque DICOM, pas un cliché. Les clichés sont dans les dossiers voisins : choisissez ceux-là.',
  'problem.dicom-not-a-film':
    'Ce fichier DICOM ne contient pas de cliché. Choisissez le cliché du même examen. ({what})',
  'problem.dicom-unsupported':
    'Pleura ne sait pas lire ce fichier DICOM. Exportez le cliché sans compression ou en JPEG Lossless. ({what})',
  'gate.blank': 'L’image est vide : on ne peut rien y lire.',
  'gate.colour': 'C’est une image en couleurs, pas une radiographie du thorax.',
  'gate.no-lungs':
    'Deux poumons n’ont pas été trouvés. Il faut un cliché thoracique de face, droit, avec les deux poumons visibles.',
  'gate.unlike':
    'Cette image ne ressemble pas aux clichés avec lesquels le modèle a été vérifié : une réponse serait une supposition.',
  'gate.tag-modality': 'Le fichier dit que ce n’est pas une radiographie standard mais un autre type d’image.',
  'gate.tag-body-part': 'Le fichier dit que c’est un cliché d’une autre partie du corps que le thorax.',
  'gate.tag-view':
    'Le fichier dit que ce n’est pas une incidence de face. Il faut un cliché pris de dos ou de face (PA ou AP).',
  'gate.tag-processing':
    'Le fichier dit qu’il contient les valeurs brutes d’un détecteur, et non l’image que voit le radiologue. Exportez l’image de présentation.',
  notice:
    'Pour la recherche et l’enseignement ; ce n’est pas un dispositif médical. Une radiographie du thorax n’exclut pas la COVID-19 : la référence est la RT-PCR. Ne fondez aucune décision concernant un patient sur ce résultat.',
  summary:
    'Ne voit que les poumons de clichés de face. Entraîné sur des collections publiques où presque chaque source n’a qu’une classe ; la fiche du modèle dit ce qu’il fait avec des hôpitaux qu’il n’a jamais vus.',
  'problem.overlay-damaged':
    'Ce n’est pas un fichier d’adaptation de Pleura, ou il est endommagé. Exportez-le à nouveau là où il a été fait.',
  'problem.overlay-foreign':
    'Cette adaptation appartient à d’autres poids que ceux de cette page ; elle n’a pas été utilisée. Adaptez à nouveau.',
  'problem.no-features': 'Ces poids ne peuvent pas être adaptés : leur dernière couche est d’un autre type.',
};
