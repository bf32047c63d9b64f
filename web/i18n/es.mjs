// es.mjs: the page in Spanish, with the engine's sentences, the notice and the summary.
/** @param {string} what */
const missing = (what) =>
  `No se pudo descargar ${what}. Vuelva a cargar la página; puede que haya una versión más reciente. Si eso no ayuda, póngase en contacto con el administrador del sitio.`;
/** @param {string} what */
const altered = (what) =>
  `Se ha descargado ${what}, pero no es el que corresponde a esta página: su SHA-256 es distinto, así que se dañó o se manipuló durante la transferencia, y no se ha usado. Inténtelo de nuevo; si se repite, póngase en contacto con el administrador del sitio.`;
/** @param {string} what */
const offline = (what) =>
  `Se perdió la conexión antes de que terminara la descarga ${what}. En este dispositivo no hay ninguna copia utilizable: compruebe la conexión e inténtelo de nuevo.`;

export default {
  'page.title': 'Pleura: radiografías de tórax analizadas en este dispositivo',
  'page.tagline': 'Sus imágenes nunca salen de este dispositivo',
  'page.language': 'Idioma',
  'page.close': 'Cerrar',
  'page.drop': 'Suelte los archivos para analizarlos',

  'welcome.title': 'Abra una radiografía de tórax',
  'welcome.ways':
    'Elija, pegue o suelte aquí las radiografías: una imagen, cientos o una carpeta entera. DICOM, PNG, JPEG o BMP.',
  'welcome.touch':
    'Elija radiografías de este dispositivo o fotografíe una placa. DICOM, PNG, JPEG, BMP o un archivo ZIP.',
  'welcome.what':
    'Pleura clasifica una radiografía frontal de tórax como COVID-19, neumonía o normal, resalta las zonas en las que se basa el resultado e indica cuándo no puede decidir. Todo se ejecuta en este navegador; no se envía nada.',
  'welcome.stuck':
    'La página no se ha iniciado. Ábrala desde una dirección web, no desde un archivo del disco, en una versión actual de Chrome, Edge, Firefox o Safari, con JavaScript activado. Si antes funcionaba, conéctese a Internet, cierre todas sus pestañas y ábrala de nuevo.',

  'action.choose': 'Elegir imágenes',
  'action.add': 'Añadir',
  'action.folder': 'Elegir una carpeta',
  'action.camera': 'Hacer una foto',
  'action.phantom': 'Probar un ejemplo sintético',
  'action.clear': 'Quitar todas las imágenes',
  'action.more': 'Menú',
  'action.skip': 'Saltar a la imagen',
  'action.install': 'Instalar como aplicación',
  'action.retry': 'Intentar de nuevo',
  'action.remove': 'Quitar esta imagen',
  'action.undo': 'Deshacer',
  'undo.removed': 'Imágenes quitadas: {count}',
  'action.cancel': 'Cancelar',
  'action.reload': 'Volver a cargar',
  'action.reset': 'Restablecer',
  'action.fetch': 'Descargar de nuevo',
  'action.print': 'Imprimir o guardar en PDF',
  'action.csv': 'Guardar como CSV',
  'action.json': 'Guardar como JSON Lines',
  'action.copy': 'Copiar la imagen',
  'action.copied': 'La imagen está en el portapapeles.',
  'action.uncopied': 'Este navegador no permite a la página copiar imágenes.',

  'label.covid': 'COVID-19',
  'label.pneumonia': 'Neumonía',
  'label.normal': 'Normal',
  'label.other': 'Otro hallazgo',
  'likeness.covid':
    'De las tres categorías, esta imagen se parece sobre todo a radiografías de pacientes con COVID-19.',
  'likeness.pneumonia':
    'De las tres categorías, esta imagen se parece sobre todo a radiografías de pacientes con otra neumonía.',
  'likeness.normal':
    'De las tres categorías, esta imagen se parece sobre todo a radiografías informadas como normales. Esto no descarta enfermedad.',
  'likeness.closest': 'La categoría del modelo más próxima es «{label}».',

  'film.waiting': 'En espera',
  'film.running': 'Analizando…',
  'film.cancelled': 'No analizada',
  'film.error': 'No se pudo abrir',
  'film.uncertain': 'Incierto',
  'film.other-finding': 'Incierto (otro hallazgo)',
  'film.refused': 'No apta',
  'film.phantom': 'Ejemplo sintético',
  'film.photo': 'Foto {time}',

  'stage.waiting': 'En espera…',
  'stage.running': 'Analizando…',
  'stage.error': 'Sin imagen: no se pudo abrir el archivo',
  'stage.cancelled': 'No analizada',
  'stage.done': 'Seleccione de nuevo esta imagen para verla',
  'stage.label':
    'Visor de radiografías. Pulse + o − para ampliar o reducir, las flechas para desplazar, 0 para ajustar.',
  'stage.picture': '{name}, tal como se analizó, con contorno pulmonar y mapa de calor opcionales',
  'stage.plain': '{name}, tal como se analizó',
  'stage.look': '{zoom} · ventana {width}, nivel {centre}',
  'stage.reduced': 'mostrada a {width} × {height} píxeles',

  'tools.label': 'Superposiciones en la imagen',
  'tools.lungs': 'Contorno',
  'tools.heat': 'Mapa de calor',
  'tools.look': 'Ajustes de visualización',
  'tools.in': 'Ampliar',
  'tools.out': 'Reducir',
  'tools.drag': 'Arrastrar para ajustar ventana y nivel',
  'tools.window': 'Ventana',
  'tools.window.film': 'Total',
  'tools.window.lungs': 'Pulmón',
  'tools.window.dense': 'Mediastino',
  'tools.window.own': 'Manual',
  'tools.invert': 'Invertir',
  'tools.compare': 'Comparar con y sin mapa de calor',
  'tools.wipe': 'Divisor',
  'tools.reset': 'Restablecer la vista',
  'tools.full': 'Ocupar toda la ventana',
  'tools.plain': 'Ocultar las superposiciones',
  'tools.more': 'Medir y comparar',
  'tools.ratio': 'Índice cardiotorácico',
  'tools.loupe': 'Lupa',
  'tools.window.file': '{name} ({centre} / {width})',
  'tools.map': 'Mapa de calor de',
  'tools.map.model': 'El resultado',
  'tools.beside': 'Comparar con',
  'tools.beside.off': 'Nada',
  'tools.beside.beside': 'Esta imagen sin superposiciones, en paralelo',
  'tools.beside.divider': 'Esta imagen sin superposiciones, con un divisor',
  'measure.ruler': 'Regla',
  'measure.heart': 'Ancho del corazón',
  'measure.chest': 'Ancho del tórax',
  'measure.end': '{line}, extremo {end}. Las flechas lo mueven.',
  'measure.length': 'Regla: {length} mm',
  'measure.detector': 'Regla: {length} mm en el detector. En el paciente es menos.',
  'measure.pixels': 'Regla: {length} píxeles. El archivo no indica su tamaño.',
  'measure.place': 'Arrastre los extremos de ambas líneas hasta los bordes del corazón y del tórax.',
  'measure.ratio':
    'Índice cardiotorácico: {ratio}. En una imagen PA, hasta 0,50 es lo habitual; las imágenes AP agrandan el corazón.',

  'keys.title': 'Atajos de teclado',
  'keys.zoom': 'Ampliar y reducir (también rueda o dos dedos)',
  'keys.pan': 'Desplazar (también arrastrar)',
  'keys.window': 'Ventana y nivel (también arrastrar con el botón derecho o con Mayús)',
  'keys.presets': 'Ventana predefinida: completa, pulmón, mediastino',
  'keys.fit': 'Restablecer la vista',
  'keys.actual': 'Un píxel de la imagen por píxel de la pantalla',
  'keys.invert': 'Invertir',
  'keys.compare': 'Comparar con y sin mapa de calor',
  'keys.end': 'Mover el extremo de una línea (Mayús: 10 píxeles)',
  'keys.full': 'Ocupar toda la ventana',
  'keys.plain': 'Ocultar las superposiciones',
  'keys.heat': 'Reducir, aumentar la opacidad del mapa de calor',
  'keys.lungs': 'Contorno pulmonar',
  'keys.films': 'Imagen anterior, siguiente',
  'keys.remove': 'Quitar esta imagen, deshacer',
  'keys.pick': 'Seleccionar en la tabla: más, todas, ninguna',
  'keys.help': 'Esta lista',
  'keys.on': 'Activar los atajos de una sola tecla',

  'reading.synthetic': 'Imagen sintética, no es de un paciente',
  'reading.camera': 'Foto: menos fiable',
  'reading.probabilities': 'Probabilidades',
  'reading.details': 'Detalles',
  'reading.label': 'Imagen y resultado',
  'reading.films': 'Imágenes',
  'reading.view': 'Proyección {view}',
  'reading.exposed': 'realizada el {date}',
  'steps.previous': 'Imagen anterior',
  'steps.next': 'Imagen siguiente',
  'steps.place': '{place} de {total}',
  'reading.later': 'El resultado aparecerá aquí cuando termine el análisis.',
  'reading.caution': 'Solo para investigación y docencia, no para la atención a pacientes.',
  'reading.cancelled': 'No analizada: usted canceló.',
  'reading.uncertain':
    'Ninguna categoría alcanza {certain}, el mínimo que este modelo necesita para dar una respuesta.',
  'reading.close': 'Las probabilidades están demasiado próximas para decidir.',
  'reading.other-finding':
    'Es probable un hallazgo que no es ninguno de los tres, por ejemplo tuberculosis, derrame pleural, una masa o cardiomegalia. El modelo no puede decir cuál.',
  'reading.accepted': 'Comprobación de la imagen superada.',
  'reading.accepted.why': 'Se parece a las radiografías frontales de tórax con las que se entrenó el modelo.',
  'reading.accepted.score': '{count} de 100 imágenes de prueba de buena calidad parecen menos típicas que esta.',
  'reading.refused': 'Comprobación de la imagen no superada.',
  'reading.refused.why': 'No se muestran probabilidades porque no tendrían sentido para esta imagen.',
  'reading.unchecked': 'Sin comprobación de la imagen.',
  'reading.unchecked.why':
    'Este modelo responde a cualquier imagen, aunque no sea una radiografía de tórax. Compruebe usted la imagen.',
  'reading.legend':
    'Zonas que contribuyeron a «{label}», de poco (violeta) a mucho (amarillo). No es un mapa de lesiones.',
  'reading.legend.opacity':
    'Dónde ve opacidad el modelo, de improbable (violeta) a probable (amarillo). Puede pasar por alto opacidades y marcar pulmón sano.',
  'reading.occlude': 'Mostrar la evidencia tapando partes de la imagen (lento)',
  'reading.legend.occlusion':
    'Partes sin las cuales «{label}» resulta menos probable, de poco (violeta) a mucho (amarillo): cada una se tapó por turno. No es un mapa de lesiones.',
  'reading.legend.hidden':
    'El mapa de calor explica «{label}», que no es la categoría más probable con su distribución de casos; por eso no se muestra.',
  'reading.extent':
    'Opacidad: pulmón derecho {right}, pulmón izquierdo {left}. El derecho es el del paciente, a la izquierda de la imagen.',
  'reading.photo':
    'Esto es una foto de una placa o de una pantalla. Los reflejos, el ángulo y el muaré cambian lo que ve el modelo, que no se ha probado con fotos. Use el archivo original si puede.',
  'edit.title': 'Corregir la imagen',
  'edit.what':
    '¿Está en posición vertical? ¿Tiene los grises invertidos? ¿Tiene un marco? Cada paso se analiza al momento; el archivo no cambia.',
  'edit.right': 'Girar a la derecha',
  'edit.flip': 'Reflejar',
  'edit.negative': 'Invertir los grises',
  'edit.crop': 'Recortar a lo visible',
  'edit.photo': 'Es una foto de una radiografía',
  'edit.upright': 'Enderezar y analizar de nuevo',
  'edit.positive': 'Invertir y analizar de nuevo',
  'edit.none': 'Volver al original',

  'fact.size': 'Tamaño',
  'fact.pixels': '{width} × {height} píxeles',
  'fact.decoder': 'Decodificador',
  'fact.decoder.stb': 'Integrado (stb_image): idéntico en todos los dispositivos',
  'fact.decoder.dicom': 'Integrado, con códecs DICOM: idéntico en todos los dispositivos',
  'fact.decoder.browser': 'El de este navegador: otro navegador puede dar resultados ligeramente distintos',
  'fact.decoder.camera': 'Cámara: los resultados no se pueden reproducir con exactitud',
  'fact.decoder.edited': 'Corregida en esta página antes del análisis: no son los píxeles del archivo',
  'fact.decoder.phantom': 'Ninguno (imagen dibujada por el motor)',
  'fact.syntax': 'Sintaxis de transferencia DICOM',
  'fact.frames': 'Imágenes en el archivo (solo se analiza la primera)',
  'fact.turned': 'Girada o reflejada según Patient Orientation',
  'fact.bits': 'Huella del resultado',
  'fact.hash': 'SHA-256 del archivo',
  'fact.model': 'Modelo',
  'fact.weights': 'SHA-256 de los pesos',
  'fact.temperature': 'Temperatura de calibración',
  'fact.page': 'Versión de la página',

  'tags.title': 'Etiquetas DICOM',
  'tags.note': 'Pueden identificar al paciente. Solo se muestran aquí: nunca se conservan, imprimen ni guardan.',
  'tags.show': 'Mostrar las etiquetas',
  'tags.none': 'No hay más etiquetas.',

  'prevalence.title': 'Ajustar a su prevalencia',
  'prevalence.adapted':
    'Las probabilidades suponen la distribución de casos de las imágenes a las que se adaptó el modelo: {mixture}.',
  'prevalence.own': 'Las probabilidades suponen la distribución de casos que declara el modelo: {mixture}.',
  'prevalence.given': 'Probabilidades ajustadas a su distribución de casos: {mixture}.',
  'prevalence.label': 'Su distribución de casos',
  'prevalence.chip': 'Su distribución de casos: {mixture}',
  'prevalence.question': 'De cada 100 pacientes a los que hace una radiografía, ¿cuántos tienen cada afección?',
  'prevalence.rest': '{label}: {count} (el resto)',
  'prevalence.back': 'Volver a la distribución de casos del modelo',
  'prevalence.holds':
    'El resultado y las probabilidades se ajustan con la regla de Bayes. Esto supone que cada afección tiene en su centro el mismo aspecto que en las imágenes de prueba. En un hospital nuevo para el modelo no fue así: véase más abajo «¿Hasta qué punto es fiable este resultado?».',
  'prevalence.none': 'Este modelo no indica su distribución de casos, así que sus probabilidades no se pueden ajustar.',
  'prevalence.likeliest':
    'Con su distribución de casos, la categoría más probable es «{label}». Una imagen por sí sola ni demuestra ni descarta una enfermedad.',

  'worth.title': '¿Hasta qué punto es fiable este resultado?',
  'worth.good': 'Para investigación y docencia: cómo se comportan los modelos de este tipo y dónde fallan.',
  'worth.bad':
    'No es para la atención a pacientes. Tampoco para niños, proyecciones laterales, TC ni pacientes con un solo pulmón. Una imagen reflejada no se reconoce: compruebe el marcador de lado.',
  'worth.unseen':
    'En un hospital no incluido en el entrenamiento, el {normal} de las radiografías normales se clasificó como normal y el {covid} como COVID-19.',
  'worth.seen':
    'En hospitales incluidos en el entrenamiento: sensibilidad para COVID-19 {sensitivity}, especificidad {specificity}.',
  'worth.within': 'COVID-19 frente a otra neumonía de la misma fuente: AUC {auc} (0,5 equivale al azar).',
  'worth.share': '{value} ({low} a {high})',
  'worth.intervals': 'Entre paréntesis, intervalos de confianza del 95 %.',
  'worth.card': 'Ficha del modelo (en inglés)',

  'batch.title': 'Todas las imágenes',
  'batch.table': 'Tabla de imágenes',
  'batch.film': 'Imagen',
  'batch.verdict': 'Resultado',
  'batch.extent': 'Opacidad (D / I)',
  'batch.remark': 'Nota',
  'batch.duplicate': 'El mismo archivo que {name}',
  'batch.filter': 'Buscar nombres de archivo',
  'batch.show': 'Mostrar',
  'batch.all': 'Todos los resultados',
  'batch.unread': 'Aún no analizadas',
  'batch.count': 'Se muestran {shown} de {total} imágenes',
  'batch.none': 'Ninguna imagen coincide.',
  'batch.skipped': 'Archivos omitidos porque no son imágenes o no se pudieron abrir: {count} ({names})',
  'batch.more': 'Mostrar más',
  'batch.remove': 'Quitar {name}',
  'batch.remove.shown': 'Quitar las imágenes mostradas: {count}',
  'batch.pick': 'Seleccionar {name}',
  'batch.pick.all': 'Seleccionar todas las imágenes mostradas',
  'batch.pick.none': 'Anular la selección',
  'batch.picked': 'Imágenes seleccionadas: {count}. Solo estas se guardan e imprimen.',
  'batch.again': 'Analizar de nuevo',
  'batch.remove.picked': 'Quitar',
  'batch.retry': 'Reintentar las imágenes fallidas',
  'batch.cancelled': 'Reanudar',

  'work.label': 'Progreso',
  'work.loading': 'Cargando el modelo: {received} de {total} MB',
  'work.starting': 'Verificando el modelo…',
  'work.reading': 'Analizando la imagen…',
  'work.place': 'Analizando la imagen {place} de {total}',
  'work.gathering': 'Explorando la carpeta…',
  'work.finished': 'Imágenes analizadas: {count}. {verdicts}',
  'work.announce': '{name}: {verdict}. {because}',
  'work.share': '{verdict}, {share}',

  'update.label': 'Actualización',
  'update.available': 'Hay una actualización.',
  'update.save': 'Hay una actualización. Guarde antes sus resultados: volver a cargar vacía esta página.',
  'update.entering': 'Cargando de nuevo…',

  'kept.ready': 'Lista para funcionar sin conexión',
  'kept.mended':
    'Lista para funcionar sin conexión: había datos dañados en este dispositivo y se ha descargado de nuevo {parts}.',
  'kept.lost':
    'No está lista para funcionar sin conexión: hay que descargar de nuevo {parts}, porque falta parte de la copia sin conexión. Conéctese a Internet y elija «Descargar de nuevo».',
  'part.weights': 'el archivo del modelo',
  'part.engine': 'el motor',
  'part.page': 'parte de la página',

  'model.line': '{model}, licencia {license}.',
  'model.title': 'Usar otro modelo…',
  'model.heading': 'Usar otro modelo',
  'model.what':
    'Abra un archivo de modelo (.gguf) que «pleura convert» haya creado a partir de su propio clasificador. Se comprueba antes de usarlo y funciona en este dispositivo; no se envía nada.',
  'model.shipped': 'Se usa el modelo propio de Pleura.',
  'model.inforce':
    'Se usa otro modelo: {model}, del archivo {file} ({hash}). No es el de Pleura y la ficha del modelo no es válida para él.',
  'model.used': 'Se usa el modelo {model}; todas las imágenes de la página se analizan de nuevo.',
  'model.choose': 'Elegir un archivo de modelo',
  'model.back': 'Volver al modelo de Pleura',
  'model.keep': 'Conservar este modelo en este dispositivo',
  'model.memory':
    'Si no, se pierde al cerrar la página. Volver al modelo de Pleura o borrar los resultados guardados también lo borra de este dispositivo.',
  'model.damaged':
    'No se ha usado este archivo: no es un modelo para Pleura o está dañado. Cree uno con «pleura convert».',
  'model.unsupported':
    'No se ha usado este archivo: su red es demasiado grande o tiene operaciones que Pleura no admite.',
  'model.self-test':
    'No se ha usado este archivo: en este dispositivo no da los resultados de referencia que contiene.',
  'model.unkept':
    'No se ha conservado el modelo: este navegador no tiene espacio o no permite que la página guarde datos.',

  'camera.title': 'Fotografiar una radiografía',
  'camera.warning':
    'Use una foto solo como último recurso: los reflejos, el ángulo y el muaré cambian lo que ve el modelo, que no se ha probado con fotos. El archivo original siempre es mejor. El resultado queda marcado como foto.',
  'camera.how':
    'Llene el encuadre con la radiografía, sujete la cámara paralela a ella y mantenga los dos pulmones a la vista. La foto se convierte a escala de grises.',
  'camera.shoot': 'Hacer la foto',
  'camera.use': 'Usar esta foto',
  'camera.again': 'Repetir la foto',
  'camera.torch': 'Linterna',
  'camera.opening': 'Abriendo la cámara…',
  'camera.denied':
    'La cámara no está disponible. Permítala para este sitio en los ajustes del navegador o elija un archivo.',

  'examples.title': 'Probar un ejemplo real',
  'examples.what':
    'Radiografías con licencias abiertas, de pacientes cuyas imágenes no entrenaron el modelo. Al abrir una, se descarga de este sitio; se analiza en este dispositivo como cualquier otra imagen.',
  'examples.open': 'Abrir: {label}',
  'examples.all': 'Abrir todas',
  'examples.label': 'Diagnóstico según su fuente: {label}.',
  'examples.reduced': 'tamaño reducido',

  'requests.title': 'Actividad de red',
  'requests.none': 'Solicitudes desde su primera imagen, aparte de los archivos de esta página: {count}',
  'requests.start': 'Solicitudes desde que se abrió la página: {count}',
  'requests.what':
    'Todo lo que han solicitado esta página y sus procesos en segundo plano, según el registro del navegador:',
  'requests.file': 'Archivo',
  'requests.who': 'Solicitado por',
  'requests.size': 'Bytes por la red',
  'requests.page': 'página',
  'requests.worker': 'proceso en segundo plano',
  'requests.service': 'service worker',
  'requests.check': 'Compruébelo usted mismo',
  'requests.check.tools':
    'Abra las herramientas de desarrollo del navegador, elija «Red» y analice una imagen: no aparece ninguna entrada nueva. (Algunos archivos DICOM comprimidos cargan un decodificador de esta página, solo por su nombre; un ejemplo se descarga de este sitio al abrirlo.)',
  'requests.check.flight': 'Desconecte la red, vuelva a cargar esta página y analice una imagen: funciona igual.',
  'requests.check.policy': 'Con esta política, el navegador bloquea cualquier otro servidor:',

  'history.title': 'Resultados guardados',
  'history.off': 'No se guarda nada: los resultados se pierden al cerrar la página.',
  'history.paused':
    'Los resultados nuevos no se guardan. Los de esta lista permanecen en este dispositivo hasta que los borre.',
  'history.on':
    'Los resultados, las probabilidades, los nombres de archivo y unas imágenes pequeñas se guardan en este navegador, solo en este dispositivo. Los nombres de archivo pueden contener nombres de pacientes. Las imágenes originales no se guardan.',
  'history.switch': 'Guardar los resultados en este dispositivo',
  'history.count': 'Resultados guardados: {count}',
  'history.wipe': 'Borrar los resultados guardados',
  'history.ask':
    '¿Borrar los resultados guardados ({saved}) y quitar todas las imágenes ({images})? No se puede deshacer.',
  'history.wiped': 'Se han borrado todos los resultados guardados.',
  'history.rest':
    'Esto borra todos los resultados guardados y quita todas las imágenes de la página. La copia sin conexión de esta página, que no contiene imágenes ni resultados, se conserva; para eliminarla, borre los datos de este sitio en los ajustes del navegador.',
  'history.full':
    'No hay espacio suficiente para este resultado, así que no se guardó. Sigue en la página: guárdelo como CSV o borre los resultados guardados.',
  'history.failed':
    'Este navegador no permite que la página guarde datos (lo habitual en las ventanas privadas). Los resultados siguen en la página hasta que la cierre.',
  'history.table': 'Tabla de resultados guardados',
  'history.date': 'Fecha',
  'history.at': '{verdict} (distribución de casos: {mixture})',

  'adapt.title': 'Adaptar a sus propias imágenes',
  'adapt.what':
    'La última capa del modelo puede ajustarse a sus propias radiografías con diagnóstico conocido. Todo ocurre en este dispositivo; no se envía nada.',
  'adapt.folder':
    'Elija una carpeta con las subcarpetas covid, pneumonia y normal, cada una con sus imágenes. Los archivos DICOM de un mismo paciente se mantienen juntos; cada una de las demás imágenes se trata como un paciente distinto.',
  'adapt.shipped': 'Está en uso el modelo original.',
  'adapt.inforce':
    'Adaptado en este dispositivo a imágenes etiquetadas ({films}): archivo del modelo {hash}. Las cifras de la ficha del modelo no son aplicables.',
  'adapt.used': 'El modelo adaptado está en uso; se analizan de nuevo todas las imágenes de la página.',
  'adapt.fitting': 'Ajuste y validación cruzada en curso…',
  'adapt.few': 'No hay suficientes imágenes.',
  'adapt.need':
    'Solo se han encontrado: {lacking}. Cada categoría necesita al menos {films} imágenes de {patients} pacientes.',
  'adapt.films': 'Imágenes: {films}; pacientes: {patients}.',
  'adapt.left':
    'Excluidas: {refused} por no superar la comprobación de la imagen, {repeated} por duplicación, {other} por estar en otras carpetas, {errors} porque no se pudieron abrir.',
  'adapt.others': 'Otras carpetas: {names}.',
  'adapt.table': 'Antes y después',
  'adapt.before': 'Antes',
  'adapt.after': 'Después',
  'adapt.difference': 'Diferencia (puntos)',
  'adapt.balancedAccuracy': 'Exactitud equilibrada',
  'adapt.accuracy': 'Exactitud',
  'adapt.auc': 'AUC, {label} frente al resto',
  'adapt.calibrationError': 'Error de calibración (0 es lo mejor)',
  'adapt.logLoss': 'Pérdida logarítmica (0 es lo mejor)',
  'adapt.better': 'Mejor con imágenes como estas: acierta con una frecuencia significativamente mayor.',
  'adapt.calibrated':
    'Sus probabilidades se ajustan mejor a imágenes como estas, pero no acierta con una frecuencia significativamente mayor.',
  'adapt.same': 'Sin mejora clara; la diferencia puede deberse al azar. Sugerimos descartar esta adaptación.',
  'adapt.worse': 'Peor que antes. Sugerimos descartar esta adaptación.',
  'adapt.how':
    'Validación cruzada: cada imagen se evaluó con un ajuste que nunca vio a ese paciente. Entre paréntesis, intervalos de confianza del 95 %. Antes: el modelo original con la distribución de casos de sus imágenes.',
  'adapt.holds':
    'Esto es válido para sus propias imágenes y las etiquetas que usted les dio. En otro centro, o con otro equipo de rayos X, puede ser peor.',
  'adapt.keep': 'Conservar',
  'adapt.discard': 'Descartar',
  'adapt.import': 'Importar una adaptación',
  'adapt.export': 'Exportar la adaptación',
  'adapt.back': 'Restaurar el modelo original',
  'adapt.memory':
    'El modelo adaptado se pierde al cerrar la página, salvo que esté activado el guardado; al borrar los resultados guardados también se borra.',

  'report.title': 'Informe de Pleura',
  'report.printed': 'Impreso el {date}',
  'report.films': 'Imágenes: {count}. {verdicts}',
  'report.verdict': '{verdict}: {count}',
  'report.reader': 'Nombre y comentario:',

  'problem.wasm-missing': missing('el motor'),
  'problem.weights-missing': missing('el archivo del modelo'),
  'problem.worker-missing': missing('el proceso en segundo plano'),
  'problem.codec-missing': missing('el decodificador DICOM para este archivo'),
  'problem.dicom-missing': missing('el lector DICOM'),
  'problem.wasm-altered': altered('el motor'),
  'problem.weights-altered': altered('el archivo del modelo'),
  'problem.codec-altered': altered('el decodificador DICOM para este archivo'),
  'problem.wasm-offline': offline('del motor'),
  'problem.weights-offline': offline('del archivo del modelo'),
  'problem.codec-offline': offline('del decodificador DICOM para este archivo'),
  'problem.example-missing': 'No se pudo descargar el ejemplo. Compruebe la conexión e inténtelo de nuevo.',
  'problem.no-simd':
    'Este navegador no puede ejecutar WebAssembly con SIMD, que Pleura necesita. Use una versión actual de Chrome, Edge, Firefox o Safari (16.4 o posterior) y desactive para este sitio cualquier modo de aislamiento.',
  'problem.worker-died':
    'El motor se detuvo al analizar este archivo y se reinició; las demás imágenes no se ven afectadas. Inténtelo otra vez con esta; si ocurre dos veces, guarde la imagen como PNG corriente.',
  'problem.file-unreadable':
    'No se pudo abrir el archivo: puede que se haya movido o modificado, o que sea una carpeta. Elíjalo de nuevo.',
  'problem.file-too-large':
    'El archivo ocupa más de 512 MB, más que cualquier radiografía de tórax. Exporte la imagen como PNG o JPEG corriente.',
  'problem.unexpected': 'Ha ocurrido algo inesperado ({what}). Inténtelo de nuevo o vuelva a cargar la página.',
  'problem.language-missing': 'No se pudo cargar esa traducción. Compruebe la conexión y elíjala de nuevo.',
  'problem.overlay-damaged':
    'Este no es un archivo de adaptación de Pleura, o está dañado. Expórtelo de nuevo desde donde se creó.',
  'problem.overlay-foreign':
    'Esta adaptación se hizo para otro modelo y no se ha usado. Realice la adaptación de nuevo.',
  'problem.no-features': 'Este modelo no se puede adaptar: su última capa es de un tipo no admitido.',

  'problem.out-of-memory': 'No hay memoria suficiente. Cierre otros programas o use una imagen más pequeña.',
  'problem.not-a-model': 'El archivo del modelo no es un archivo GGUF. Descargue de nuevo pleura.gguf.',
  'problem.model-version':
    'El archivo del modelo usa una versión de GGUF distinta de la 3. Use el que corresponde a esta versión de Pleura.',
  'problem.model-damaged': 'El archivo del modelo está dañado o incompleto. Descargue de nuevo pleura.gguf.',
  'problem.model-unsupported':
    'La red de este archivo es demasiado grande o usa operaciones que este motor no admite. Use otro archivo de modelo.',
  'problem.self-test':
    'Este equipo o navegador no reproduce el resultado de referencia del modelo, así que sus resultados no son fiables. Actualícelo o use otro.',
  'problem.no-class-map': 'Este modelo no ofrece un mapa de activación para esta categoría.',
  'problem.no-prior':
    'Este modelo no indica la distribución de casos que suponen sus probabilidades, así que no se pueden ajustar a otra prevalencia. Use un modelo con la clave pleura.prior.',
  'problem.prevalence':
    'Esta prevalencia no es válida. Indique una proporción por categoría, ninguna negativa, que sumen 1.',
  'problem.no-film': 'Todavía no se ha analizado ninguna radiografía. Analice una primero.',
  'problem.empty-file': 'El archivo está vacío. Cópielo de nuevo desde su origen.',
  'problem.not-an-image':
    'Esto no es una imagen que Pleura pueda abrir. Use un archivo DICOM, PNG, JPEG o BMP de una radiografía de tórax.',
  'problem.image-damaged': 'La imagen está dañada o incompleta. Cópiela o expórtela de nuevo desde su origen.',
  'problem.image-unsupported':
    'Esta imagen usa una codificación que Pleura no admite. Guárdela como PNG o JPEG corriente.',
  'problem.image-too-large':
    'La imagen supera los 16 384 píxeles por lado o los 64 millones en total. Expórtela con un tamaño menor.',
  'problem.image-too-small':
    'La imagen tiene menos de 64 píxeles por lado. Use la radiografía original, no una miniatura.',
  'problem.dicom-damaged': 'Este archivo DICOM está dañado o incompleto. Expórtelo de nuevo desde su origen.',
  'problem.dicom-index':
    'Este es el DICOMDIR de un disco, no una radiografía. Elija en su lugar las carpetas que están junto a él.',
  'problem.dicom-not-a-film':
    'Este archivo DICOM no contiene una radiografía. Elija la radiografía del mismo estudio. ({what})',
  'problem.dicom-unsupported':
    'Pleura no admite este tipo de archivo DICOM. Exporte la radiografía sin comprimir o como JPEG Lossless. ({what})',
  'gate.blank': 'La imagen está en blanco. Exporte la radiografía de nuevo.',
  'gate.colour':
    'Es una imagen en color, no una radiografía de tórax. Use una radiografía de tórax en escala de grises.',
  'gate.no-lungs':
    'Pleura no ha encontrado los dos pulmones. Use una radiografía frontal de tórax, bien orientada, en la que se vean los dos pulmones.',
  'gate.unlike':
    'Esta imagen se parece demasiado poco a las radiografías de tórax con las que se validó el modelo; cualquier respuesta sería una conjetura. Compruebe que sea una radiografía frontal de tórax.',
  'gate.turned': 'Esta radiografía no está en posición vertical. Gírela y analícela de nuevo.',
  'gate.inverted':
    'Los grises de esta radiografía están invertidos: los huesos se ven oscuros. Inviértala y analícela de nuevo.',
  'gate.tag-modality':
    'Según su cabecera, este archivo no es una radiografía simple. Use una radiografía simple de tórax.',
  'gate.tag-body-part':
    'Según su cabecera, esta radiografía muestra otra parte del cuerpo. Use una radiografía de tórax.',
  'gate.tag-view': 'Según su cabecera, esta radiografía no es una proyección frontal. Use una proyección PA o AP.',
  'gate.tag-processing':
    'Según su cabecera, este archivo contiene los datos brutos del detector («FOR PROCESSING»), no la imagen que se muestra al radiólogo. Exporte la imagen para presentación.',
  notice:
    'Para investigación y docencia; no es un producto sanitario (dispositivo médico). Una radiografía de tórax no descarta la COVID-19: la prueba de referencia es la RT-PCR. No base en este resultado ninguna decisión sobre un paciente.',
  summary:
    'Examina solo los pulmones en radiografías frontales. Entrenado con datos públicos, informados en parte por radiólogos, y con los recuadros que estos trazaron alrededor de opacidades; la ficha del modelo muestra cómo funciona en hospitales nuevos.',
};
