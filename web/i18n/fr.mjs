// fr.mjs: the page in French, with the engine's sentences, the notice and the summary. French puts an unbreakable space
// before : ; ? ! % and inside « ».
/** @param {string} what */
const missing = (what) =>
  `${what} n’a pas pu être téléchargé. Rechargez la page ; une version plus récente existe peut-être. Si cela ne suffit pas, contactez l’administrateur du site.`;
/** @param {string} what */
const altered = (what) =>
  `${what} a été téléchargé, mais ce n’est pas celui qui correspond à cette page : son SHA-256 diffère ; il a donc été endommagé ou falsifié pendant le transfert et n’a pas été utilisé. Réessayez ; si le problème persiste, contactez l’administrateur du site.`;
/** @param {string} what */
const offline = (what) =>
  `La connexion a été perdue avant la fin du téléchargement ${what}. Cet appareil n’en a aucune copie utilisable : vérifiez la connexion, puis réessayez.`;

export default {
  'page.title': 'Pleura : des radiographies du thorax analysées sur cet appareil',
  'page.tagline': 'Vos images ne quittent jamais cet appareil',
  'page.language': 'Langue',
  'page.close': 'Fermer',
  'page.drop': 'Déposez les fichiers à analyser',

  'welcome.title': 'Ouvrez une radiographie du thorax',
  'welcome.ways':
    'Choisissez, collez ou déposez ici des radiographies : une image, des centaines ou un dossier entier. DICOM, PNG, JPEG ou BMP.',
  'welcome.touch':
    'Choisissez des radiographies sur cet appareil, ou photographiez un cliché. DICOM, PNG, JPEG, BMP ou une archive ZIP.',
  'welcome.what':
    'Pleura classe une radiographie du thorax de face comme COVID-19, pneumonie ou normale, met en évidence les zones sur lesquelles repose le résultat et signale quand il ne peut pas trancher. Tout s’exécute dans ce navigateur ; rien n’est envoyé.',
  'welcome.stuck':
    'La page n’a pas démarré. Ouvrez-la depuis une adresse web, et non depuis un fichier sur le disque, dans une version actuelle de Chrome, Edge, Firefox ou Safari, avec JavaScript activé. Si elle fonctionnait auparavant, connectez-vous à Internet, fermez tous ses onglets et ouvrez-la de nouveau.',

  'action.choose': 'Choisir des images',
  'action.add': 'Ajouter',
  'action.folder': 'Choisir un dossier',
  'action.camera': 'Prendre une photo',
  'action.phantom': 'Essayer un exemple synthétique',
  'action.clear': 'Retirer toutes les images',
  'action.more': 'Menu',
  'action.skip': 'Aller à l’image',
  'action.install': 'Installer comme application',
  'action.retry': 'Réessayer',
  'action.remove': 'Retirer cette image',
  'action.undo': 'Annuler la suppression',
  'undo.removed': 'Images retirées : {count}',
  'action.cancel': 'Annuler',
  'action.reload': 'Recharger',
  'action.reset': 'Réinitialiser',
  'action.fetch': 'Télécharger de nouveau',
  'action.print': 'Imprimer ou enregistrer en PDF',
  'action.csv': 'Enregistrer en CSV',
  'action.json': 'Enregistrer en JSON Lines',
  'action.copy': 'Copier l’image',
  'action.copied': 'L’image est dans le presse-papiers.',
  'action.uncopied': 'Ce navigateur ne permet pas à la page de copier des images.',

  'label.covid': 'COVID-19',
  'label.pneumonia': 'Pneumonie',
  'label.normal': 'Normal',
  'label.other': 'Autre anomalie',
  'likeness.covid':
    'Des trois catégories, cette image ressemble le plus aux radiographies de patients atteints de la COVID-19.',
  'likeness.pneumonia':
    'Des trois catégories, cette image ressemble le plus aux radiographies de patients atteints d’une autre pneumonie.',
  'likeness.normal':
    'Des trois catégories, cette image ressemble le plus aux radiographies interprétées comme normales. Cela n’exclut pas une maladie.',
  'likeness.closest': 'La catégorie du modèle la plus proche est « {label} ».',

  'film.waiting': 'En attente',
  'film.running': 'Analyse…',
  'film.cancelled': 'Non analysée',
  'film.error': 'Impossible à ouvrir',
  'film.uncertain': 'Incertain',
  'film.other-finding': 'Incertain (autre anomalie)',
  'film.refused': 'Non adaptée',
  'film.phantom': 'Exemple synthétique',
  'film.photo': 'Photo du {time}',

  'stage.waiting': 'En attente…',
  'stage.running': 'Analyse…',
  'stage.error': 'Pas d’image : le fichier n’a pas pu être ouvert',
  'stage.cancelled': 'Non analysée',
  'stage.done': 'Sélectionnez de nouveau cette image pour la voir',
  'stage.label':
    'Visionneuse de radiographies. Appuyez sur + ou − pour agrandir ou réduire, sur les flèches pour déplacer, sur 0 pour ajuster.',
  'stage.picture': '{name}, telle qu’elle a été analysée, avec contour des poumons et carte de chaleur facultatifs',
  'stage.plain': '{name}, telle qu’elle a été analysée',
  'stage.look': '{zoom} · fenêtre {width}, niveau {centre}',
  'stage.reduced': 'affichée en {width} × {height} pixels',

  'tools.label': 'Superpositions sur l’image',
  'tools.lungs': 'Contour',
  'tools.heat': 'Carte de chaleur',
  'tools.look': 'Réglages d’affichage',
  'tools.in': 'Agrandir',
  'tools.out': 'Réduire',
  'tools.drag': 'Glisser pour régler la fenêtre et le niveau',
  'tools.window': 'Fenêtre',
  'tools.window.film': 'Totale',
  'tools.window.lungs': 'Poumon',
  'tools.window.dense': 'Médiastin',
  'tools.window.own': 'Manuelle',
  'tools.invert': 'Inverser',
  'tools.compare': 'Comparer avec et sans carte de chaleur',
  'tools.wipe': 'Séparateur',
  'tools.reset': 'Rétablir l’affichage',
  'tools.full': 'Occuper toute la fenêtre',
  'tools.plain': 'Masquer les superpositions',
  'tools.more': 'Mesurer et comparer',
  'tools.ratio': 'Index cardiothoracique',
  'tools.loupe': 'Loupe',
  'tools.window.file': '{name} ({centre} / {width})',
  'tools.map': 'Carte de chaleur de',
  'tools.map.model': 'Le résultat',
  'tools.beside': 'Comparer avec',
  'tools.beside.off': 'Rien',
  'tools.beside.beside': 'Cette image sans superpositions, côte à côte',
  'tools.beside.divider': 'Cette image sans superpositions, avec un séparateur',
  'measure.ruler': 'Règle',
  'measure.heart': 'Largeur du cœur',
  'measure.chest': 'Largeur du thorax',
  'measure.end': '{line}, extrémité {end}. Les flèches la déplacent.',
  'measure.length': 'Règle : {length} mm',
  'measure.detector': 'Règle : {length} mm sur le détecteur. Chez le patient, c’est moins.',
  'measure.pixels': 'Règle : {length} pixels. Le fichier n’indique pas leur taille.',
  'measure.place': 'Faites glisser les extrémités des deux lignes jusqu’aux bords du cœur et du thorax.',
  'measure.ratio':
    'Index cardiothoracique : {ratio}. Jusqu’à 0,50, il est habituel sur un cliché PA ; un cliché AP agrandit le cœur.',

  'keys.title': 'Raccourcis',
  'keys.zoom': 'Agrandir, réduire (aussi avec la molette ou deux doigts)',
  'keys.pan': 'Déplacer (aussi en glissant)',
  'keys.window': 'Fenêtre et niveau (aussi en glissant avec le bouton droit ou avec Maj)',
  'keys.presets': 'Fenêtre prédéfinie : complète, poumon, médiastin',
  'keys.fit': 'Rétablir l’affichage',
  'keys.actual': 'Un pixel de l’image par pixel de l’écran',
  'keys.invert': 'Inverser',
  'keys.compare': 'Comparer avec et sans carte de chaleur',
  'keys.end': 'Déplacer l’extrémité d’une ligne (Maj : de 10 pixels)',
  'keys.full': 'Occuper toute la fenêtre',
  'keys.plain': 'Masquer les superpositions',
  'keys.heat': 'Diminuer, augmenter l’opacité de la carte de chaleur',
  'keys.lungs': 'Contour des poumons',
  'keys.films': 'Image précédente, suivante',
  'keys.remove': 'Retirer cette image, annuler',
  'keys.pick': 'Sélectionner dans le tableau : plus, tout, rien',
  'keys.help': 'Cette liste',
  'keys.on': 'Activer les raccourcis à une touche',

  'reading.synthetic': 'Image synthétique, pas un patient',
  'reading.camera': 'Photo : moins fiable',
  'reading.probabilities': 'Probabilités',
  'reading.details': 'Détails',
  'reading.label': 'Image et résultat',
  'reading.films': 'Images',
  'reading.view': 'Incidence {view}',
  'reading.exposed': 'réalisée le {date}',
  'steps.previous': 'Image précédente',
  'steps.next': 'Image suivante',
  'steps.place': '{place} sur {total}',
  'reading.later': 'Le résultat apparaîtra ici une fois l’analyse terminée.',
  'reading.caution': 'Pour la recherche et l’enseignement uniquement, pas pour la prise en charge de patients.',
  'reading.cancelled': 'Non analysée : vous avez annulé.',
  'reading.uncertain':
    'Aucune catégorie n’atteint {certain}, le minimum dont ce modèle a besoin pour donner une réponse.',
  'reading.close': 'Les probabilités sont trop proches pour trancher.',
  'reading.other-finding':
    'Une anomalie qui n’est aucune des trois est probable, par exemple une tuberculose, un épanchement, une masse ou une cardiomégalie. Le modèle ne peut pas dire laquelle.',
  'reading.accepted': 'Contrôle de l’image : conforme.',
  'reading.accepted.why': 'Elle ressemble aux radiographies du thorax de face sur lesquelles le modèle a été entraîné.',
  'reading.accepted.score': '{count} images de test de bonne qualité sur 100 paraissent moins typiques que celle-ci.',
  'reading.refused': 'Contrôle de l’image : non conforme.',
  'reading.refused.why': 'Les probabilités ne sont pas affichées, car elles n’auraient aucun sens pour cette image.',
  'reading.unchecked': 'Aucun contrôle de l’image.',
  'reading.unchecked.why':
    'Ce modèle répond à toute image, même si ce n’est pas une radiographie du thorax. Vérifiez l’image vous-même.',
  'reading.legend':
    'Zones ayant contribué à « {label} », de peu (violet) à beaucoup (jaune). Ce n’est pas une carte des lésions.',
  'reading.legend.opacity':
    'Là où le modèle voit une opacité, d’improbable (violet) à probable (jaune). Il peut manquer des opacités et marquer du poumon sain.',
  'reading.occlude': 'Montrer les indices en masquant des parties de l’image (lent)',
  'reading.legend.occlusion':
    'Parties sans lesquelles « {label} » devient moins probable, de peu (violet) à beaucoup (jaune) : chacune a été masquée à tour de rôle. Ce n’est pas une carte des lésions.',
  'reading.legend.hidden':
    'La carte de chaleur explique « {label} », qui n’est pas la catégorie la plus probable avec votre répartition des cas ; elle n’est donc pas affichée.',
  'reading.extent':
    'Opacité : poumon droit {right}, poumon gauche {left}. Le droit est celui du patient, à gauche de l’image.',
  'reading.photo':
    'Ceci est la photo d’un cliché ou d’un écran. Les reflets, l’angle et le moiré changent ce que voit le modèle, qui n’a pas été testé sur des photos. Utilisez le fichier d’origine si vous le pouvez.',
  'edit.title': 'Corriger l’image',
  'edit.what':
    'Est-elle à l’endroit ? Ses gris sont-ils inversés ? A-t-elle un cadre ? Chaque étape est analysée aussitôt ; le fichier reste tel quel.',
  'edit.right': 'Tourner à droite',
  'edit.flip': 'Inverser gauche et droite',
  'edit.negative': 'Inverser les gris',
  'edit.crop': 'Recadrer sur la vue',
  'edit.photo': 'C’est la photo d’une radiographie',
  'edit.upright': 'Redresser et analyser de nouveau',
  'edit.positive': 'Inverser et analyser de nouveau',
  'edit.none': 'Revenir à l’original',

  'fact.size': 'Taille',
  'fact.pixels': '{width} × {height} pixels',
  'fact.decoder': 'Décodeur',
  'fact.decoder.stb': 'Intégré (stb_image) : identique sur tous les appareils',
  'fact.decoder.dicom': 'Intégré, avec codecs DICOM : identique sur tous les appareils',
  'fact.decoder.browser':
    'Celui de ce navigateur : un autre navigateur peut donner des résultats légèrement différents',
  'fact.decoder.camera': 'Appareil photo : les résultats ne sont pas exactement reproductibles',
  'fact.decoder.edited': 'Corrigée sur cette page avant l’analyse : ce ne sont pas les pixels du fichier',
  'fact.decoder.phantom': 'Aucun (image dessinée par le moteur)',
  'fact.syntax': 'Syntaxe de transfert DICOM',
  'fact.frames': 'Images dans le fichier (seule la première est analysée)',
  'fact.turned': 'Tournée ou retournée en miroir selon Patient Orientation',
  'fact.bits': 'Empreinte du résultat',
  'fact.hash': 'SHA-256 du fichier',
  'fact.model': 'Modèle',
  'fact.weights': 'SHA-256 des poids',
  'fact.temperature': 'Température de calibration',
  'fact.page': 'Version de la page',

  'tags.title': 'Champs DICOM',
  'tags.note':
    'Ils peuvent identifier le patient. Ils ne sont affichés qu’ici : jamais conservés, imprimés ni enregistrés.',
  'tags.show': 'Afficher les champs',
  'tags.none': 'Aucun autre champ.',

  'prevalence.title': 'Ajuster à votre prévalence',
  'prevalence.adapted':
    'Les probabilités supposent la répartition des cas des images auxquelles le modèle a été adapté : {mixture}.',
  'prevalence.own': 'Les probabilités supposent la répartition des cas que le modèle déclare : {mixture}.',
  'prevalence.given': 'Probabilités ajustées à votre répartition des cas : {mixture}.',
  'prevalence.label': 'Votre répartition des cas',
  'prevalence.chip': 'Votre répartition des cas : {mixture}',
  'prevalence.question': 'Sur 100 patients que vous radiographiez, combien présentent chaque affection ?',
  'prevalence.rest': '{label} : {count} (le reste)',
  'prevalence.back': 'Revenir à la répartition des cas du modèle',
  'prevalence.holds':
    'Le résultat et les probabilités sont ajustés par la règle de Bayes. Cela suppose que chaque affection a chez vous le même aspect que dans les images de test. Dans un hôpital nouveau pour le modèle, ce n’était pas le cas : voir « Quelle est la fiabilité de ce résultat ? » plus bas.',
  'prevalence.none':
    'Ce modèle n’indique pas sa répartition des cas ; ses probabilités ne peuvent donc pas être ajustées.',
  'prevalence.likeliest':
    'Avec votre répartition des cas, la catégorie la plus probable est « {label} ». Une image seule ne prouve ni n’exclut une maladie.',

  'worth.title': 'Quelle est la fiabilité de ce résultat ?',
  'worth.good': 'Pour la recherche et l’enseignement : comment de tels modèles se comportent et où ils échouent.',
  'worth.bad':
    'Pas pour la prise en charge de patients. Ni pour les enfants, les incidences de profil, le scanner ou les patients n’ayant qu’un poumon. Une image en miroir n’est pas reconnue : vérifiez le repère de côté.',
  'worth.unseen':
    'Dans un hôpital absent de l’entraînement, {normal} des radiographies normales ont été classées normales et {covid} COVID-19.',
  'worth.seen':
    'Dans les hôpitaux de l’entraînement : sensibilité pour la COVID-19 {sensitivity}, spécificité {specificity}.',
  'worth.within': 'COVID-19 contre autre pneumonie de la même source : AUC {auc} (0,5 correspond au hasard).',
  'worth.share': '{value} ({low} à {high})',
  'worth.intervals': 'Entre parenthèses, intervalles de confiance à 95 %.',
  'worth.card': 'Fiche du modèle (en anglais)',

  'batch.title': 'Toutes les images',
  'batch.table': 'Tableau des images',
  'batch.film': 'Image',
  'batch.verdict': 'Résultat',
  'batch.extent': 'Opacité (D / G)',
  'batch.remark': 'Note',
  'batch.duplicate': 'Même fichier que {name}',
  'batch.filter': 'Chercher dans les noms de fichiers',
  'batch.show': 'Afficher',
  'batch.all': 'Tous les résultats',
  'batch.unread': 'Pas encore analysées',
  'batch.count': '{shown} images affichées sur {total}',
  'batch.none': 'Aucune image ne correspond.',
  'batch.skipped':
    'Fichiers ignorés, car ce ne sont pas des images ou ils n’ont pas pu être ouverts : {count} ({names})',
  'batch.more': 'Afficher la suite',
  'batch.remove': 'Retirer {name}',
  'batch.remove.shown': 'Retirer les images affichées : {count}',
  'batch.pick': 'Sélectionner {name}',
  'batch.pick.all': 'Sélectionner toutes les images affichées',
  'batch.pick.none': 'Effacer la sélection',
  'batch.picked': 'Images sélectionnées : {count}. Seules celles-ci sont enregistrées et imprimées.',
  'batch.again': 'Analyser à nouveau',
  'batch.remove.picked': 'Retirer',
  'batch.retry': 'Réessayer les images en échec',
  'batch.cancelled': 'Reprendre',

  'work.label': 'Avancement',
  'work.loading': 'Chargement du modèle : {received} sur {total} Mo',
  'work.starting': 'Vérification du modèle…',
  'work.reading': 'Analyse de l’image…',
  'work.place': 'Analyse de l’image {place} sur {total}',
  'work.gathering': 'Parcours du dossier…',
  'work.finished': 'Images analysées : {count}. {verdicts}',
  'work.announce': '{name} : {verdict}. {because}',
  'work.share': '{verdict}, {share}',

  'update.label': 'Mise à jour',
  'update.available': 'Une mise à jour est disponible.',
  'update.save': 'Une mise à jour est disponible. Enregistrez d’abord vos résultats : recharger vide cette page.',
  'update.entering': 'Rechargement…',

  'kept.ready': 'Prêt à fonctionner hors connexion',
  'kept.mended': 'Prêt à fonctionner hors connexion. Endommagé sur cet appareil et téléchargé de nouveau : {parts}.',
  'kept.lost':
    'Pas prêt à fonctionner hors connexion : il faut télécharger de nouveau {parts}, car une partie de la copie hors connexion manque. Connectez-vous à Internet, puis choisissez « Télécharger de nouveau ».',
  'part.weights': 'le fichier du modèle',
  'part.engine': 'le moteur',
  'part.page': 'une partie de la page',

  'model.line': '{model}, licence {license}.',
  'model.title': 'Utiliser un autre modèle…',
  'model.heading': 'Utiliser un autre modèle',
  'model.what':
    'Ouvrez un fichier de modèle (.gguf) que « pleura convert » a créé à partir de votre propre classifieur. Il est vérifié avant d’être utilisé et fonctionne sur cet appareil ; rien n’est envoyé.',
  'model.shipped': 'Le modèle de Pleura est utilisé.',
  'model.inforce':
    'Un autre modèle est utilisé : {model}, du fichier {file} ({hash}). Ce n’est pas celui de Pleura, et la fiche du modèle ne s’y applique pas.',
  'model.used': 'Le modèle {model} est utilisé ; toutes les images de la page sont analysées à nouveau.',
  'model.choose': 'Choisir un fichier de modèle',
  'model.back': 'Revenir au modèle de Pleura',
  'model.keep': 'Conserver ce modèle sur cet appareil',
  'model.memory':
    'Sinon, il est perdu à la fermeture de la page. Revenir au modèle de Pleura ou supprimer les résultats enregistrés l’efface aussi de cet appareil.',
  'model.damaged':
    'Ce fichier n’a pas été utilisé : ce n’est pas un modèle pour Pleura, ou il est endommagé. Créez-en un avec « pleura convert ».',
  'model.unsupported':
    'Ce fichier n’a pas été utilisé : son réseau est trop grand ou contient des opérations que Pleura ne prend pas en charge.',
  'model.self-test':
    'Ce fichier n’a pas été utilisé : sur cet appareil, il ne donne pas les résultats de référence qu’il contient.',
  'model.unkept':
    'Le modèle n’a pas été conservé : ce navigateur manque de place ou ne permet pas à la page d’enregistrer des données.',

  'camera.title': 'Photographier une radiographie',
  'camera.warning':
    'N’utilisez une photo qu’en dernier recours : les reflets, l’angle et le moiré changent ce que voit le modèle, qui n’a pas été testé sur des photos. Le fichier d’origine vaut toujours mieux. Le résultat est signalé comme issu d’une photo.',
  'camera.how':
    'Remplissez le cadre avec la radiographie, tenez l’appareil parallèle à elle et gardez les deux poumons visibles. La photo est convertie en niveaux de gris.',
  'camera.shoot': 'Prendre la photo',
  'camera.use': 'Utiliser cette photo',
  'camera.again': 'Reprendre la photo',
  'camera.torch': 'Lampe',
  'camera.opening': 'Ouverture de l’appareil photo…',
  'camera.denied':
    'L’appareil photo n’est pas disponible. Autorisez-le pour ce site dans les réglages du navigateur, ou choisissez plutôt un fichier.',

  'examples.title': 'Essayer un exemple réel',
  'examples.what':
    'Radiographies sous licences libres, de patients dont les images n’ont pas servi à entraîner le modèle. Une radiographie ouverte est téléchargée depuis ce site, puis analysée sur cet appareil comme toute autre image.',
  'examples.open': 'Ouvrir : {label}',
  'examples.all': 'Tout ouvrir',
  'examples.label': 'Diagnostic selon la source : {label}.',
  'examples.reduced': 'taille réduite',

  'requests.title': 'Activité réseau',
  'requests.none': 'Requêtes depuis votre première image, hors fichiers de cette page : {count}',
  'requests.start': 'Requêtes depuis l’ouverture de la page : {count}',
  'requests.what':
    'Tout ce que cette page et ses processus d’arrière-plan ont demandé, tel que le navigateur l’a enregistré :',
  'requests.file': 'Fichier',
  'requests.who': 'Demandé par',
  'requests.size': 'Octets par le réseau',
  'requests.page': 'page',
  'requests.worker': 'processus d’arrière-plan',
  'requests.service': 'service worker',
  'requests.check': 'Vérifiez vous-même',
  'requests.check.tools':
    'Ouvrez les outils de développement du navigateur, choisissez « Réseau » et analysez une image : aucune nouvelle ligne n’apparaît. (Certains fichiers DICOM compressés chargent un décodeur de cette page, par son seul nom ; un exemple est téléchargé depuis ce site à son ouverture.)',
  'requests.check.flight':
    'Coupez le réseau, rechargez cette page et analysez une image : tout fonctionne comme avant.',
  'requests.check.policy': 'Avec cette règle, le navigateur bloque tout autre serveur :',

  'history.title': 'Résultats enregistrés',
  'history.off': 'Rien n’est enregistré : les résultats sont perdus à la fermeture de la page.',
  'history.paused':
    'Les nouveaux résultats ne sont pas enregistrés. Ceux de cette liste restent sur cet appareil jusqu’à ce que vous les supprimiez.',
  'history.on':
    'Les résultats, les probabilités, les noms de fichiers et de petites images sont enregistrés dans ce navigateur, sur cet appareil seulement. Les noms de fichiers peuvent contenir des noms de patients. Les images elles-mêmes ne sont pas enregistrées.',
  'history.switch': 'Enregistrer les résultats sur cet appareil',
  'history.count': 'Résultats enregistrés : {count}',
  'history.wipe': 'Supprimer les résultats enregistrés',
  'history.ask':
    'Supprimer les résultats enregistrés ({saved}) et retirer toutes les images ({images}) ? C’est irréversible.',
  'history.wiped': 'Tous les résultats enregistrés ont été supprimés.',
  'history.rest':
    'Cela supprime tous les résultats enregistrés et retire toutes les images de la page. La copie hors connexion de cette page, qui ne contient ni images ni résultats, est conservée ; pour la retirer, supprimez les données de ce site dans les réglages du navigateur.',
  'history.full':
    'L’espace de stockage ne suffit pas pour ce résultat ; il n’a donc pas été enregistré. Il est encore sur la page : enregistrez-le en CSV ou supprimez des résultats enregistrés.',
  'history.failed':
    'Ce navigateur ne permet pas à la page de stocker des données (ce qui est habituel dans une fenêtre privée). Les résultats restent sur la page jusqu’à sa fermeture.',
  'history.table': 'Tableau des résultats enregistrés',
  'history.date': 'Date',
  'history.at': '{verdict} (répartition des cas : {mixture})',

  'adapt.title': 'Adapter à vos propres images',
  'adapt.what':
    'La dernière couche du modèle peut être ajustée à vos propres radiographies dont le diagnostic est connu. Tout se passe sur cet appareil ; rien n’est envoyé.',
  'adapt.folder':
    'Choisissez un dossier avec les sous-dossiers covid, pneumonia et normal, chacun avec ses images. Les fichiers DICOM d’un même patient restent ensemble ; toute autre image est traitée comme un patient distinct.',
  'adapt.shipped': 'Le modèle d’origine est utilisé.',
  'adapt.inforce':
    'Adapté sur cet appareil à des images étiquetées ({films}) : fichier du modèle {hash}. Les chiffres de la fiche du modèle ne s’appliquent pas.',
  'adapt.used': 'Le modèle adapté est utilisé ; toutes les images de la page sont analysées de nouveau.',
  'adapt.fitting': 'Ajustement et validation croisée…',
  'adapt.few': 'Pas assez d’images.',
  'adapt.need':
    'Trouvées seulement : {lacking}. Chaque catégorie demande au moins {films} images de {patients} patients.',
  'adapt.films': 'Images : {films} ; patients : {patients}.',
  'adapt.left':
    'Exclues : {refused} pour non-conformité au contrôle de l’image, {repeated} en double, {other} dans d’autres dossiers, {errors} impossibles à ouvrir.',
  'adapt.others': 'Autres dossiers : {names}.',
  'adapt.table': 'Avant et après',
  'adapt.before': 'Avant',
  'adapt.after': 'Après',
  'adapt.difference': 'Différence (points)',
  'adapt.balancedAccuracy': 'Exactitude équilibrée',
  'adapt.accuracy': 'Exactitude',
  'adapt.auc': 'AUC, {label} contre le reste',
  'adapt.calibrationError': 'Erreur de calibration (0 est le mieux)',
  'adapt.logLoss': 'Perte logarithmique (0 est le mieux)',
  'adapt.better': 'Meilleur sur des images comme celles-ci : réponses significativement plus souvent correctes.',
  'adapt.calibrated':
    'Ses probabilités conviennent mieux à des images comme celles-ci, mais ses réponses ne sont pas significativement plus souvent correctes.',
  'adapt.same':
    'Pas d’amélioration nette ; la différence peut être due au hasard. Nous suggérons d’abandonner cette adaptation.',
  'adapt.worse': 'Moins bon qu’avant. Nous suggérons d’abandonner cette adaptation.',
  'adapt.how':
    'Validation croisée : chaque image a été évaluée par un ajustement qui n’avait jamais vu ce patient. Entre parenthèses, intervalles de confiance à 95 %. Avant : le modèle d’origine, avec la répartition des cas de vos images.',
  'adapt.holds':
    'Cela vaut pour vos propres images et les étiquettes que vous leur avez données. Dans un autre établissement, ou avec un autre équipement de radiologie, ce peut être moins bon.',
  'adapt.keep': 'Garder',
  'adapt.discard': 'Abandonner',
  'adapt.import': 'Importer une adaptation',
  'adapt.export': 'Exporter l’adaptation',
  'adapt.back': 'Rétablir le modèle d’origine',
  'adapt.memory':
    'Le modèle adapté est perdu à la fermeture de la page, sauf si l’enregistrement est activé ; supprimer les résultats enregistrés le supprime aussi.',

  'report.title': 'Rapport Pleura',
  'report.printed': 'Imprimé le {date}',
  'report.films': 'Images : {count}. {verdicts}',
  'report.verdict': '{verdict} : {count}',
  'report.reader': 'Nom et commentaire :',

  'problem.wasm-missing': missing('Le moteur'),
  'problem.weights-missing': missing('Le fichier du modèle'),
  'problem.worker-missing': missing('Le processus d’arrière-plan'),
  'problem.codec-missing': missing('Le décodeur DICOM pour ce fichier'),
  'problem.dicom-missing': missing('Le lecteur DICOM'),
  'problem.wasm-altered': altered('Le moteur'),
  'problem.weights-altered': altered('Le fichier du modèle'),
  'problem.codec-altered': altered('Le décodeur DICOM pour ce fichier'),
  'problem.wasm-offline': offline('du moteur'),
  'problem.weights-offline': offline('du fichier du modèle'),
  'problem.codec-offline': offline('du décodeur DICOM pour ce fichier'),
  'problem.example-missing': 'L’exemple n’a pas pu être téléchargé. Vérifiez la connexion, puis réessayez.',
  'problem.no-simd':
    'Ce navigateur ne peut pas exécuter WebAssembly avec SIMD, dont Pleura a besoin. Utilisez une version actuelle de Chrome, Edge, Firefox ou Safari (16.4 ou plus récent) et désactivez tout mode Isolement pour ce site.',
  'problem.worker-died':
    'Le moteur s’est arrêté pendant l’analyse de ce fichier et a été relancé ; les autres images ne sont pas touchées. Réessayez avec celle-ci ; si cela se produit deux fois, enregistrez l’image comme PNG ordinaire.',
  'problem.file-unreadable':
    'Le fichier n’a pas pu être ouvert : il a peut-être été déplacé ou modifié, ou c’est un dossier. Choisissez-le de nouveau.',
  'problem.file-too-large':
    'Le fichier dépasse 512 Mo, plus que toute radiographie du thorax. Exportez l’image comme PNG ou JPEG ordinaire.',
  'problem.unexpected': 'Un problème inattendu s’est produit ({what}). Réessayez ou rechargez la page.',
  'problem.language-missing':
    'Cette traduction n’a pas pu être chargée. Vérifiez la connexion, puis choisissez-la de nouveau.',
  'problem.overlay-damaged':
    'Ce n’est pas un fichier d’adaptation de Pleura, ou il est endommagé. Exportez-le de nouveau là où il a été créé.',
  'problem.overlay-foreign':
    'Cette adaptation a été faite pour un autre modèle et n’a pas été utilisée. Adaptez de nouveau.',
  'problem.no-features': 'Ce modèle ne peut pas être adapté : sa dernière couche est d’un type non pris en charge.',

  'problem.out-of-memory': 'La mémoire ne suffit pas. Fermez d’autres programmes ou utilisez une image plus petite.',
  'problem.not-a-model': 'Le fichier du modèle n’est pas un fichier GGUF. Téléchargez de nouveau pleura.gguf.',
  'problem.model-version':
    'Le fichier du modèle utilise une version de GGUF autre que la 3. Utilisez celui qui correspond à cette version de Pleura.',
  'problem.model-damaged': 'Le fichier du modèle est endommagé ou incomplet. Téléchargez de nouveau pleura.gguf.',
  'problem.model-unsupported':
    'Le réseau de ce fichier est trop grand ou utilise des opérations que ce moteur ne prend pas en charge. Utilisez un autre fichier de modèle.',
  'problem.self-test':
    'Cette machine ou ce navigateur ne reproduit pas le résultat de référence du modèle ; ses résultats ne sont donc pas fiables. Mettez-le à jour ou utilisez-en un autre.',
  'problem.no-class-map': 'Ce modèle ne fournit pas de carte d’activation pour cette catégorie.',
  'problem.no-prior':
    'Ce modèle n’indique pas la répartition des cas que supposent ses probabilités ; elles ne peuvent donc pas être ajustées à une autre prévalence. Utilisez un modèle avec la clé pleura.prior.',
  'problem.prevalence':
    'Cette prévalence n’est pas valable. Indiquez une part par catégorie, aucune négative, dont la somme fait 1.',
  'problem.no-film': 'Aucune radiographie n’a encore été analysée. Analysez-en une d’abord.',
  'problem.empty-file': 'Le fichier est vide. Copiez-le de nouveau depuis son origine.',
  'problem.not-an-image':
    'Ce n’est pas une image que Pleura peut ouvrir. Utilisez un fichier DICOM, PNG, JPEG ou BMP d’une radiographie du thorax.',
  'problem.image-damaged':
    'L’image est endommagée ou incomplète. Copiez-la ou exportez-la de nouveau depuis son origine.',
  'problem.image-unsupported':
    'Cette image utilise un codage que Pleura ne prend pas en charge. Enregistrez-la comme PNG ou JPEG ordinaire.',
  'problem.image-too-large':
    'L’image dépasse 16 384 pixels par côté ou 64 millions en tout. Exportez-la en plus petit.',
  'problem.image-too-small':
    'L’image fait moins de 64 pixels par côté. Utilisez la radiographie d’origine, pas une vignette.',
  'problem.dicom-damaged': 'Ce fichier DICOM est endommagé ou incomplet. Exportez-le de nouveau depuis son origine.',
  'problem.dicom-index':
    'Ceci est le DICOMDIR d’un disque, pas une radiographie. Choisissez plutôt les dossiers placés à côté.',
  'problem.dicom-not-a-film':
    'Ce fichier DICOM ne contient pas de radiographie. Choisissez la radiographie du même examen. ({what})',
  'problem.dicom-unsupported':
    'Pleura ne prend pas en charge ce type de fichier DICOM. Exportez la radiographie sans compression ou en JPEG Lossless. ({what})',
  'gate.blank': 'L’image est vierge. Exportez de nouveau la radiographie.',
  'gate.colour':
    'C’est une image en couleurs, pas une radiographie du thorax. Utilisez une radiographie du thorax en niveaux de gris.',
  'gate.no-lungs':
    'Pleura n’a pas trouvé les deux poumons. Utilisez une radiographie du thorax de face, bien orientée, qui montre les deux poumons.',
  'gate.unlike':
    'Cette image est trop différente des radiographies du thorax sur lesquelles le modèle a été validé ; toute réponse serait une supposition. Vérifiez qu’il s’agit d’une radiographie du thorax de face.',
  'gate.turned': 'Cette radiographie n’est pas à l’endroit. Tournez-la, puis analysez-la de nouveau.',
  'gate.inverted':
    'Les gris de cette radiographie sont inversés : les os sont sombres. Inversez-la, puis analysez-la de nouveau.',
  'gate.tag-modality':
    'D’après son en-tête, ce fichier n’est pas une radiographie standard. Utilisez une radiographie standard du thorax.',
  'gate.tag-body-part':
    'D’après son en-tête, cette radiographie montre une autre partie du corps. Utilisez une radiographie du thorax.',
  'gate.tag-view':
    'D’après son en-tête, cette radiographie n’est pas une incidence de face. Utilisez une incidence PA ou AP.',
  'gate.tag-processing':
    'D’après son en-tête, ce fichier contient les données brutes du détecteur (« FOR PROCESSING »), et non l’image présentée au radiologue. Exportez l’image destinée à la présentation.',
  notice:
    'Pour la recherche et l’enseignement ; ce n’est pas un dispositif médical. Une radiographie du thorax n’exclut pas la COVID-19 : l’examen de référence est la RT-PCR. Ne fondez aucune décision concernant un patient sur ce résultat.',
  summary:
    'N’examine que les poumons sur des radiographies de face. Entraîné sur des données publiques, interprétées en partie par des radiologues, et sur les cadres qu’ils ont tracés autour des opacités ; la fiche du modèle montre ses performances dans de nouveaux hôpitaux.',
};
