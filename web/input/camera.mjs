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

    /** Whether there is a lamp beside the camera. Browsers' types do not know it yet. */
    hasTorch: () => Boolean(/** @type {any} */ (stream?.getVideoTracks()[0].getCapabilities?.())?.torch),

    /** @param {boolean} on */
    light: (on) => stream?.getVideoTracks()[0].applyConstraints({ advanced: [/** @type {any} */ ({ torch: on })] }),

    /** The picture stands still while one looks at the photo. */
    freeze: () => video.pause(),
    resume: () => video.play(),

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
  /** @type {Promise<File> | null} */
  let photo = null;
  return {
    async camera() {
      set({ dialog: 'camera', camera: 'opening', torch: 'none' });
      const opened = await camera.open();
      if (opened !== null) set({ camera: opened ? 'on' : 'denied', torch: camera.hasTorch() ? 'off' : 'none' });
    },
    async torch() {
      const on = state.torch !== 'on';
      await camera.light(on);
      set({ torch: on ? 'on' : 'off' });
    },
    shoot() {
      if (state.camera !== 'on') return; // the button was pressed twice
      photo = camera.shoot(`${state.i18n.t('film.photo', { time: localTime() })}.png`);
      camera.freeze();
      set({ camera: 'taken' });
    },
    'shot-again'() {
      photo = null;
      camera.resume();
      set({ camera: 'on' });
    },
    async 'shot-use'() {
      const taken = photo;
      photo = null;
      set({ dialog: null });
      if (taken) add(await taken);
    },
  };
}

/** 2026-11-29 16.06.02: a name that files may have, and that sorts. */
function localTime() {
  const now = new Date();
  const two = (/** @type {number} */ number) => String(number).padStart(2, '0');
  const date = [now.getFullYear(), two(now.getMonth() + 1), two(now.getDate())].join('-');
  return `${date} ${[now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join('.')}`;
}
