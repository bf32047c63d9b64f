// camera.mjs: the camera's live picture in the dialog, and a photo of it in grey.

const MAX_SIDE = 4096; // requested; the camera returns what it can

/** @param {HTMLVideoElement} video */
export function createCamera(video) {
  /** @type {MediaStream | null} */
  let stream = null;
  let attempt = 0; // changes when the camera is closed: a stream that arrives after that is stopped at once

  const stop = (/** @type {MediaStream | null} */ stream) => stream?.getTracks().forEach((track) => track.stop());

  function close() {
    attempt++;
    stop(stream);
    stream = video.srcObject = null;
  }

  return {
    close,

    /** Resolves to false if there is no camera or it may not be used, and to null if it was closed meanwhile.
     *  @returns {Promise<boolean | null>} */
    async open() {
      close();
      const own = attempt;
      try {
        const opened = await navigator.mediaDevices.getUserMedia({
          video: { facingMode: 'environment', width: { ideal: MAX_SIDE } },
        });
        if (own !== attempt) {
          stop(opened);
          return null;
        }
        video.srcObject = stream = opened;
        await video.play();
        return own === attempt ? true : null;
      } catch {
        if (own !== attempt) return null;
        close();
        return false;
      }
    },

    /** Takes the picture at once and encodes it as PNG. A film is grey: the colours of lamp and lens would only make the
     *  gate refuse the photo as a colour picture. @param {string} name  @returns {Promise<File>} */
    async shoot(name) {
      const { videoWidth: width, videoHeight: height } = video;
      const canvas = new OffscreenCanvas(width, height);
      const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext('2d'));
      context.drawImage(video, 0, 0);
      const image = context.getImageData(0, 0, width, height);
      const { data } = image;
      for (let i = 0; i < data.length; i += 4)
        data[i] = data[i + 1] = data[i + 2] = 0.2126 * data[i] + 0.7152 * data[i + 1] + 0.0722 * data[i + 2];
      context.putImageData(image, 0, 0);
      return new File([await canvas.convertToBlob({ type: 'image/png' })], name, { type: 'image/png' });
    },
  };
}

/** @param {import('../state/state.mjs').App} app  @param {ReturnType<typeof createCamera>} camera
 *  @param {(photo: File) => void} add  opens the photo as a film */
export function cameraActions({ state, set }, camera, add) {
  return {
    async camera() {
      set({ dialog: 'camera', camera: 'opening' });
      const opened = await camera.open();
      if (opened !== null) set({ camera: opened ? 'on' : 'denied' });
    },
    async shoot() {
      if (state.dialog !== 'camera') return; // the button was pressed twice
      const photo = camera.shoot(`${state.i18n.t('film.photo', { time: new Date().toISOString() })}.png`);
      set({ dialog: null });
      add(await photo);
    },
  };
}
