// es.mjs: the page, the engine's sentences and the notice in Spanish
/** @param {string} what */
const missing = (what) =>
  `${what} no se pudo obtener de este sitio. Si la página lleva mucho tiempo abierta, vuelva a cargarla, porque el sitio puede tener una versión más nueva; si no, el sitio está incompleto: avise a quien lo administra.`;
/** @param {string} what */
const altered = (what) =>
  `${what} que llegó no es el original de esta página: su SHA-256 es distinto, así que se dañó o se sustituyó por el camino. No se ha usado nada de él. Inténtelo de nuevo; si se repite, avise a quien administra este sitio.`;
/** @param {string} what */
const offline = (what) =>
  `La conexión se cortó antes de que llegara ${what}. No está guardado en este dispositivo, o ya no, y hay que obtenerlo de este sitio: compruebe la conexión e inténtelo de nuevo.`;

export default {
  'page.title': 'Pleura: radiografías de tórax leídas en este dispositivo',
  'page.tagline': 'Sus radiografías nunca salen de este dispositivo',
  'page.language': 'Idioma',
  'page.close': 'Cerrar',
  'page.drop': 'Suelte para leer',

  'welcome.title': 'Abra una radiografía de tórax',
  'welcome.ways': 'Elíjala, péguela o suéltela en cualquier parte de esta página: una, cientos o una carpeta entera.',
  'welcome.what':
    'Pleura dice COVID-19, neumonía o normal, muestra dónde están los indicios y avisa cuando no puede decidir. Funciona dentro de esta página: ninguna radiografía, ningún nombre y ningún resultado se envía a ninguna parte.',
  'welcome.stuck':
    'La página no se ha iniciado. Ábrala a través de un servidor web (no directamente desde un disco) en una versión actual de Chrome, Edge, Firefox o Safari, con JavaScript activado. Si antes funcionaba, conéctese a la red, cierre todas sus pestañas y ábrala de nuevo.',

  'action.choose': 'Elegir radiografías',
  'action.add': 'Añadir',
  'action.folder': 'Elegir una carpeta',
  'action.camera': 'Hacer una foto',
  'action.phantom': 'Probar el fantoma sintético',
  'action.clear': 'Vaciar la página',
  'action.more': 'Más',
  'action.retry': 'Intentar de nuevo',
  'action.remove': 'Quitar esta radiografía',
  'action.cancel': 'Cancelar',
  'action.reload': 'Volver a cargar',
  'action.fetch': 'Obtener de nuevo',
  'action.print': 'Imprimir o guardar en PDF',
  'action.csv': 'Guardar como CSV',
  'action.json': 'Guardar como líneas JSON',

  'label.covid': 'COVID-19',
  'label.pneumonia': 'Neumonía',
  'label.normal': 'Normal',
  'likeness.covid': 'De las tres clases, esta radiografía se parece más a las de personas que tenían COVID-19.',
  'likeness.pneumonia': 'De las tres clases, esta radiografía se parece más a las de personas con otra neumonía.',
  'likeness.normal':
    'De las tres clases, esta radiografía se parece más a las informadas como normales. Eso no descarta enfermedad.',
  'likeness.other': 'De sus clases, el modelo asigna esta radiografía ante todo a «{label}».',

  'film.waiting': 'En espera',
  'film.running': 'Leyendo…',
  'film.cancelled': 'Cancelada',
  'film.error': 'No leída',
  'film.uncertain': 'Incierta',
  'film.refused': 'Rechazada',
  'film.phantom': 'Fantoma sintético',
  'film.photo': 'Foto {time}',

  'stage.waiting': 'En espera…',
  'stage.running': 'Leyendo…',
  'stage.error': 'Sin imagen: no se pudo leer el archivo',
  'stage.cancelled': 'Cancelada',
  'stage.done': 'Seleccione de nuevo esta radiografía para verla',
  'stage.label': 'Radiografía. Más y menos amplían y reducen, las flechas mueven, 0 ajusta.',
  'stage.picture':
    '{name} tal como la vio el motor, con el contorno de los pulmones y el mapa de calor que se pueden superponer',
  'stage.plain': '{name} tal como la vio el motor',
  'stage.look': '{zoom} · ventana {width}, nivel {centre}',

  'tools.label': 'Qué se dibuja sobre la radiografía',
  'tools.lungs': 'Pulmones',
  'tools.heat': 'Mapa de calor',
  'tools.look': 'Cómo se muestra la radiografía',
  'tools.in': 'Ampliar',
  'tools.out': 'Reducir',
  'tools.drag': 'Arrastrar cambia ventana y nivel',
  'tools.window': 'Contraste',
  'tools.window.film': 'Placa',
  'tools.window.lungs': 'Pulmón',
  'tools.window.dense': 'Denso',
  'tools.window.own': 'Propio',
  'tools.invert': 'Invertir',
  'tools.compare': 'Comparar con el mapa de calor',
  'tools.reset': 'Restablecer la vista',

  'keys.title': 'Atajos de teclado',
  'keys.zoom': 'Ampliar y reducir: rueda, dos dedos o',
  'keys.pan': 'Mover: arrastrar o',
  'keys.window': 'Ventana y nivel: arrastrar con el botón derecho o con Mayús, o',
  'keys.presets': 'Contraste para la placa, los pulmones, lo denso',
  'keys.fit': 'Restablecer la vista',
  'keys.invert': 'Invertir',
  'keys.compare': 'Comparar con el mapa de calor',
  'keys.heat': 'Mapa de calor más débil, más fuerte',
  'keys.lungs': 'Contorno de los pulmones',
  'keys.films': 'Radiografía anterior, siguiente',
  'keys.help': 'Esta lista',
  'keys.on': 'Las teclas sueltas funcionan como atajos',

  'reading.synthetic': 'Sintética: no es de ninguna persona',
  'reading.camera': 'Foto: menos fiable',
  'reading.probabilities': 'Probabilidades',
  'reading.details': 'Detalles',
  'reading.label': 'Radiografía y lectura',
  'reading.films': 'Radiografías',
  'reading.later': 'El resultado aparecerá aquí en cuanto el motor haya leído la radiografía.',
  'reading.cancelled': 'Esta radiografía no se leyó porque usted canceló.',
  'reading.uncertain': 'Ninguna clase alcanza {certain}, lo mínimo que este modelo exige para responder.',
  'reading.close': 'Las clases están demasiado próximas para dar una respuesta.',
  'reading.accepted': 'Admitida por el filtro.',
  'reading.accepted.why': 'Es una radiografía frontal de tórax como las que conoce el modelo.',
  'reading.accepted.score':
    'De 100 radiografías buenas reservadas del entrenamiento, {count} se apartan más de lo habitual que esta.',
  'reading.refused': 'Rechazada por el filtro.',
  'reading.refused.why': 'No se muestran probabilidades: para una imagen así no significarían nada.',
  'reading.legend': 'Dónde están los indicios de «{label}», de débiles (violeta) a fuertes (amarillo).',
  'reading.photo':
    'Esto es una foto de una radiografía o de una pantalla. Los reflejos, el ángulo y el muaré cambian lo que ve el modelo, que nunca se comprobó con fotos. Use el archivo original siempre que pueda.',

  'fact.size': 'Tamaño',
  'fact.pixels': '{width} × {height} píxeles',
  'fact.decoder': 'Decodificador',
  'fact.decoder.stb': 'el propio de Pleura (stb_image), igual en todas partes',
  'fact.decoder.dicom': 'el propio de Pleura con sus códecs DICOM, igual en todas partes',
  'fact.decoder.browser': 'el de este navegador; otro navegador puede dar otros bits',
  'fact.decoder.camera': 'la cámara, a través de este navegador: ninguna otra foto da los mismos bits',
  'fact.decoder.phantom': 'ninguno (la imagen la dibuja el motor)',
  'fact.syntax': 'Sintaxis de transferencia DICOM',
  'fact.frames': 'Imágenes en el archivo, de las que se lee la primera',
  'fact.bits': 'Bits de la respuesta',
  'fact.hash': 'SHA-256 del archivo',
  'fact.model': 'Modelo',
  'fact.weights': 'SHA-256 de los pesos',
  'fact.temperature': 'Temperatura de la calibración',
  'fact.page': 'Versión de la página',

  'tags.title': 'Etiquetas del archivo DICOM',
  'tags.note': 'Pueden nombrar al paciente. Solo se muestran aquí: nunca se guardan, imprimen ni exportan.',
  'tags.show': 'Mostrar las etiquetas',
  'tags.none': 'El archivo no dice nada más.',

  'prevalence.title': 'Su propia prevalencia',
  'prevalence.own': 'Probabilidades para la mezcla de clases de las radiografías de comprobación: {mixture}.',
  'prevalence.given': 'Probabilidades para su propia mezcla: {mixture}.',
  'prevalence.question': 'De cada 100 personas cuyas radiografías lee, ¿cuántas pertenecen a cada clase?',
  'prevalence.rest': '{label}: el resto, {count}',
  'prevalence.back': 'Como en las de comprobación',
  'prevalence.holds':
    'El resultado y las probabilidades se obtienen con la regla de Bayes. Eso supone que, donde usted está, las radiografías de cada clase son como las de comprobación; en un hospital que el modelo nunca había visto no lo eran: vea más abajo qué valor tiene esta respuesta.',
  'prevalence.none':
    'Las probabilidades no pueden trasladarse a su propia prevalencia: estos pesos no dicen a qué mezcla de clases corresponden.',
  'prevalence.likeliest':
    'Con su propia mezcla, la clase más probable es «{label}». Una radiografía por sí sola ni demuestra ni descarta una enfermedad.',

  'worth.title': 'Qué valor tiene esta respuesta',
  'worth.good': 'Sirve para investigación y docencia: cómo se comporta un modelo así y dónde falla.',
  'worth.bad':
    'No sirve para pacientes. Tampoco para niños, proyecciones laterales, TC ni radiografías en las que falte un pulmón.',
  'worth.unseen':
    'Radiografías normales de un hospital que nunca había visto: {normal} se llamaron normales, {covid} COVID-19.',
  'worth.seen':
    'Radiografías de hospitales del entrenamiento: sensibilidad para COVID-19 {sensitivity}, especificidad {specificity}.',
  'worth.within': 'COVID-19 frente a otra neumonía dentro de una misma fuente: AUC {auc}. 0,5 es azar.',
  'worth.share': '{value} ({low} a {high})',
  'worth.intervals': 'Entre paréntesis: intervalos del 95 %.',
  'worth.card': 'Ficha del modelo (en inglés)',

  'batch.title': 'Todas las radiografías',
  'batch.table': 'Tabla de radiografías',
  'batch.film': 'Radiografía',
  'batch.verdict': 'Resultado',
  'batch.remark': 'Observación',
  'batch.filter': 'Buscar en los nombres',
  'batch.show': 'Mostrar',
  'batch.all': 'Todos los resultados',
  'batch.unread': 'En espera o canceladas',
  'batch.count': 'Radiografías mostradas: {shown} de {total}',
  'batch.skipped': 'Archivos omitidos, que no son radiografías o no se pudieron leer: {count}',
  'batch.more': 'Mostrar más',
  'batch.retry': 'Intentar de nuevo las fallidas',
  'batch.cancelled': 'Leer las canceladas',

  'work.label': 'Progreso',
  'work.loading': 'Cargando el modelo: {received} de {total} MB',
  'work.starting': 'Comprobando el modelo y probando el motor…',
  'work.reading': 'Leyendo la radiografía…',
  'work.place': 'Leyendo la radiografía {place} de {total}',
  'work.gathering': 'Recorriendo la carpeta…',
  'work.finished': 'Radiografías terminadas: {count}.',
  'work.announce': '{name}: {verdict}. {because}',
  'work.share': '{verdict}, {share}',

  'update.label': 'Actualización',
  'update.available': 'Hay una actualización.',
  'update.save': 'Hay una actualización. Guarde antes sus resultados: volver a cargar vacía esta página.',
  'update.entering': 'Cargando de nuevo…',

  'kept.ready': 'Lista para funcionar sin conexión',
  'kept.mended':
    'Lista para funcionar sin conexión: se había perdido o alterado en este dispositivo {parts} y se obtuvo de nuevo.',
  'kept.lost':
    'No está lista para funcionar sin conexión: hay que obtener de nuevo {parts}, porque este dispositivo ya no lo conserva entero. Conéctese a la red y elija «Obtener de nuevo».',
  'part.weights': 'el archivo de pesos',
  'part.engine': 'el motor',
  'part.page': 'una parte de la página',

  'model.line': '{model}, licencia {license}.',

  'camera.title': 'Fotografiar una radiografía',
  'camera.warning':
    'Una foto es el último recurso: los reflejos, el ángulo y el muaré cambian lo que ve el modelo, que nunca se comprobó con fotos. El archivo original siempre es mejor. El resultado queda marcado como foto.',
  'camera.how':
    'Llene la imagen con la radiografía, mantenga la cámara paralela a ella y los dos pulmones a la vista. Los colores se descartan.',
  'camera.shoot': 'Hacer la foto',
  'camera.opening': 'Abriendo la cámara…',
  'camera.denied':
    'No se puede usar la cámara. Permítala para este sitio en los ajustes del navegador o elija un archivo.',

  'requests.title': 'Qué se ha solicitado',
  'requests.none': 'Solicitudes desde su primera radiografía, aparte de los componentes de esta página: {count}',
  'requests.start': 'Solicitudes desde que se abrió la página: {count}',
  'requests.what':
    'Todo lo que han pedido esta página, su proceso de cálculo y su service worker, tal como lo ha contado el propio navegador:',
  'requests.file': 'Archivo',
  'requests.who': 'Pedido por',
  'requests.size': 'Bytes por la red',
  'requests.page': 'página',
  'requests.worker': 'proceso de cálculo',
  'requests.service': 'service worker',
  'requests.check': 'Compruébelo usted',
  'requests.check.tools':
    'Abra las herramientas de desarrollo del navegador, elija «Red» y lea una radiografía: no se añade ninguna línea.',
  'requests.check.flight': 'Desconecte la red, vuelva a cargar esta página y lea una radiografía: funciona igual.',
  'requests.check.policy': 'El propio navegador prohíbe a esta página cualquier otro servidor, según esta política:',

  'history.title': 'Resultados en este dispositivo',
  'history.off': 'No se guarda nada: al cerrar la página desaparecen todos los resultados.',
  'history.on':
    'Los resultados, las probabilidades, los nombres de archivo y unas imágenes pequeñas se guardan en este navegador y solo en este dispositivo. Los nombres de archivo pueden contener nombres de pacientes. Las radiografías no se guardan.',
  'history.switch': 'Guardar los resultados en este dispositivo',
  'history.count': 'Resultados guardados: {count}',
  'history.wipe': 'Borrarlo todo',
  'history.wiped': 'Se ha borrado todo.',
  'history.rest':
    'Borrar elimina todos los resultados guardados en este dispositivo y vacía la página. La copia de la página para usarla sin conexión no contiene ninguna radiografía ni resultado y se queda; para quitarla, borre los datos de este sitio en los ajustes del navegador.',
  'history.full':
    'En este dispositivo no queda espacio para resultados, así que este no se guardó. Sigue en la página: guárdelo como CSV o borre lo guardado.',
  'history.failed':
    'Este navegador no deja que la página guarde nada, como suele ocurrir en las ventanas privadas. Los resultados siguen en la página hasta que la cierre.',
  'history.table': 'Tabla de resultados guardados',
  'history.date': 'Fecha',
  'history.at': '{verdict} (con {mixture})',

  'adapt.title': 'Adaptar a sus propias radiografías',
  'adapt.what':
    'El último paso del modelo puede ajustarse a radiografías suyas cuyo diagnóstico conoce. Todo ocurre en este dispositivo: ninguna radiografía ni ningún número sale de él.',
  'adapt.folder':
    'Elija una carpeta con las subcarpetas covid, pneumonia y normal, cada una con sus radiografías. Las radiografías DICOM de un paciente se mantienen juntas; cualquier otra cuenta como un paciente propio.',
  'adapt.shipped': 'Están en uso los pesos originales.',
  'adapt.inforce':
    'Adaptado en este dispositivo a radiografías etiquetadas ({films}): pesos {hash}. Las cifras de la ficha del modelo no valen para él.',
  'adapt.used': 'Los pesos adaptados están en uso; todas las radiografías de la página se leen de nuevo.',
  'adapt.fitting': 'Ajustando y comprobando con radiografías apartadas…',
  'adapt.few': 'Hay muy pocas radiografías para adaptar.',
  'adapt.need':
    'Radiografías halladas de las clases con pocas: {lacking}. Cada clase necesita {films} radiografías de {patients} pacientes.',
  'adapt.films': 'Radiografías: {films}; pacientes: {patients}.',
  'adapt.left':
    'Excluidas: rechazadas por el filtro {refused}, repetidas {repeated}, en otras carpetas {other}, ilegibles {errors}.',
  'adapt.table': 'Antes y después',
  'adapt.before': 'Antes',
  'adapt.after': 'Después',
  'adapt.difference': 'Diferencia',
  'adapt.balancedAccuracy': 'Aciertos, media de las clases',
  'adapt.accuracy': 'Aciertos, todas las radiografías',
  'adapt.auc': '{label} frente al resto, AUC',
  'adapt.calibrationError': 'Error de calibración (0 es lo mejor)',
  'adapt.logLoss': 'Pérdida logarítmica: duda sobre la clase verdadera (0 es lo mejor)',
  'adapt.better': 'Mejor en radiografías como estas: acierta más a menudo, más allá del azar.',
  'adapt.calibrated':
    'Sus probabilidades se ajustan mejor a radiografías como estas, pero no se ha demostrado que acierte más.',
  'adapt.same': 'No es mejor: la diferencia puede ser azar. Descártelo.',
  'adapt.worse': 'Peor que antes. Descártelo.',
  'adapt.how':
    'Cada radiografía se juzgó con un ajuste hecho sin ella y sin su paciente. Entre paréntesis: intervalos del 95 %. Antes: los pesos originales con la mezcla de sus radiografías.',
  'adapt.holds':
    'Esto vale para sus radiografías y las etiquetas que usted les dio. En otro lugar, o con otro aparato, puede ser peor que antes.',
  'adapt.keep': 'Conservar',
  'adapt.discard': 'Descartar',
  'adapt.import': 'Importar una adaptación',
  'adapt.export': 'Exportar la adaptación',
  'adapt.back': 'Volver a los pesos originales',
  'adapt.memory':
    'Una adaptación se pierde al cerrar la página, salvo que los resultados se guarden en este dispositivo; al borrarlos también se borra.',

  'report.title': 'Pleura: informe',
  'report.printed': 'Impreso el {date}',
  'report.films': 'Radiografías: {count}. {verdicts}',
  'report.verdict': '{verdict}: {count}',

  'problem.wasm-missing': missing('El motor'),
  'problem.weights-missing': missing('El archivo de pesos'),
  'problem.worker-missing': missing('El componente de cálculo de la página'),
  'problem.codec-missing': missing('El decodificador de este tipo de archivo DICOM'),
  'problem.dicom-missing': missing('El lector de archivos DICOM'),
  'problem.wasm-altered': altered('El motor'),
  'problem.weights-altered': altered('El archivo de pesos'),
  'problem.codec-altered': altered('El decodificador de este tipo de archivo DICOM'),
  'problem.wasm-offline': offline('el motor'),
  'problem.weights-offline': offline('el archivo de pesos'),
  'problem.codec-offline': offline('el decodificador de este tipo de archivo DICOM'),
  'problem.no-simd':
    'Este navegador no puede ejecutar WebAssembly con SIMD, que Pleura necesita. Use una versión actual de Chrome, Edge, Firefox o Safari (16.4 o posterior) y desactive para este sitio cualquier modo de bloqueo.',
  'problem.worker-died':
    'El motor se detuvo al leer este archivo y se inició de nuevo; las demás radiografías no se ven afectadas. Inténtelo otra vez; si ocurre dos veces, guarde la radiografía como PNG corriente.',
  'problem.file-unreadable':
    'No se pudo leer el archivo de este dispositivo: puede que se haya movido o cambiado, o que sea una carpeta. Elíjalo de nuevo.',
  'problem.file-too-large':
    'El archivo ocupa más de 512 MB, demasiado para una radiografía de tórax. Expórtela como PNG o JPEG corriente.',
  'problem.unexpected': 'Ha ocurrido algo imprevisto ({what}). Inténtelo de nuevo o vuelva a cargar la página.',
  'problem.language-missing':
    'No se pudieron obtener los textos de ese idioma. Compruebe la conexión y elíjalo de nuevo.',

  'problem.out-of-memory': 'No hay memoria suficiente para esto. Cierre otros programas o use una imagen más pequeña.',
  'problem.not-a-model': 'Los pesos no son un archivo GGUF. Obtenga de nuevo el archivo pleura.gguf.',
  'problem.model-version':
    'Los pesos están en una versión de GGUF distinta de la 3. Obtenga los pesos que corresponden a esta versión de Pleura.',
  'problem.model-damaged': 'Los pesos están dañados o incompletos. Obtenga de nuevo el archivo pleura.gguf.',
  'problem.model-unsupported': 'Los pesos describen una red que este motor no puede ejecutar.',
  'problem.self-test':
    'Este equipo o navegador calcula otros bits que aquellos con los que se comprobó el modelo, así que sus resultados no son fiables. Actualícelo o use otro.',
  'problem.no-prior':
    'Estos pesos no dicen a qué mezcla de clases corresponden sus probabilidades, así que no pueden trasladarse a otra prevalencia. Use pesos que contengan pleura.prior.',
  'problem.prevalence': 'Una prevalencia es una proporción para cada clase, ninguna menor que 0 y todas juntas 1.',
  'problem.no-film': 'Todavía no se ha analizado ninguna radiografía. Analice una primero.',
  'problem.empty-file': 'El archivo está vacío. Cópielo de nuevo desde su origen.',
  'problem.not-an-image':
    'Esto no es una imagen que Pleura sepa leer. Use un archivo PNG, JPEG, BMP o DICOM de una radiografía de tórax.',
  'problem.image-damaged': 'La imagen está dañada o incompleta. Cópiela o expórtela de nuevo desde su origen.',
  'problem.image-unsupported':
    'Pleura no sabe leer la codificación de esta imagen. Guárdela como PNG o JPEG corriente.',
  'problem.image-too-large':
    'La imagen es demasiado grande: como máximo 16 384 píxeles por lado y 64 millones en total. Expórtela más pequeña.',
  'problem.image-too-small':
    'La imagen es demasiado pequeña: hacen falta al menos 64 píxeles por lado. Use la radiografía original, no una miniatura.',
  'problem.dicom-damaged': 'Este archivo DICOM está dañado o incompleto. Expórtelo de nuevo desde su origen.',
  'problem.dicom-index':
    'Esto es el índice de un disco DICOM, no una radiografía. Las radiografías están en las carpetas contiguas: elija esas.',
  'problem.dicom-not-a-film':
    'Este archivo DICOM no contiene una radiografía. Elija la radiografía del mismo estudio. ({what})',
  'problem.dicom-unsupported':
    'Pleura no sabe leer este archivo DICOM. Exporte la radiografía sin comprimir o como JPEG Lossless. ({what})',
  'gate.blank': 'La imagen está en blanco: no se puede leer nada en ella.',
  'gate.colour': 'Es una imagen en color, no una radiografía de tórax.',
  'gate.no-lungs':
    'No se encontraron dos pulmones. Hace falta una radiografía frontal de tórax, derecha y con los dos pulmones a la vista.',
  'gate.unlike':
    'Esta imagen no se parece a las radiografías con las que se comprobó el modelo: una respuesta sería una conjetura.',
  'gate.tag-modality': 'El archivo dice que no es una radiografía simple sino otro tipo de imagen.',
  'gate.tag-body-part': 'El archivo dice que es una radiografía de otra parte del cuerpo, no del tórax.',
  'gate.tag-view':
    'El archivo dice que no es una proyección frontal. Hace falta una radiografía tomada por detrás o por delante (PA o AP).',
  'gate.tag-processing':
    'El archivo dice que contiene los valores en bruto de un detector, no la imagen que ve el radiólogo. Exporte la imagen para presentación.',
  notice:
    'Para investigación y docencia; no es un producto sanitario. Una radiografía de tórax no descarta la COVID-19: la referencia es la RT-PCR. No base en este resultado ninguna decisión sobre un paciente.',
  summary:
    'Solo ve los pulmones de radiografías frontales. Entrenado con colecciones públicas en las que casi cada fuente tiene una sola clase; la ficha del modelo dice qué hace con hospitales que nunca ha visto.',
  'problem.overlay-damaged':
    'Este no es un archivo de adaptación de Pleura, o está dañado. Expórtelo de nuevo donde se hizo.',
  'problem.overlay-foreign':
    'Esta adaptación pertenece a otros pesos que los de esta página, así que no se usó. Adapte de nuevo.',
  'problem.no-features': 'Estos pesos no se pueden adaptar: su última capa es de otro tipo.',
};
