// camera.mjs: the camera's picture in the dialog, and a photo of it in grey
const SIDE = 4096; // the camera gives what it has, up to this

/** @param {HTMLVideoElement} video */
export function createCamera(video) {
  /** @type {MediaStream | null} */
  let stream = null;
  let asked = 0; // changes when it is closed: a camera that comes after that is given back

  const stop = (given) => given?.getTracks().forEach((track) => track.stop());

  return {
    /** @returns {Promise<boolean | null>} false when there is no camera, or it may not be used; null when it was closed meanwhile */
    async open() {
      this.close();
      const own = asked;
      try {
        const given = await navigator.mediaDevices.getUserMedia({
          video: { facingMode: 'environment', width: { ideal: SIDE } },
        });
        if (own !== asked) {
          stop(given);
          return null;
        }
        video.srcObject = stream = given;
        await video.play();
        return own === asked ? true : null;
      } catch {
        if (own !== asked) return null;
        this.close();
        return false;
      }
    },

    close() {
      asked++;
      stop(stream);
      stream = video.srcObject = null;
    },

    /** A film has no colours; those of lamp and lens would only let the gate take it for a colour picture.
     *  @param {string} name  @returns {Promise<File>} */
    async shoot(name) {
      const { videoWidth: width, videoHeight: height } = video;
      const canvas = new OffscreenCanvas(width, height),
        context = canvas.getContext('2d');
      context.drawImage(video, 0, 0);
      const image = context.getImageData(0, 0, width, height),
        { data } = image;
      for (let i = 0; i < data.length; i += 4)
        data[i] = data[i + 1] = data[i + 2] = 0.2126 * data[i] + 0.7152 * data[i + 1] + 0.0722 * data[i + 2];
      context.putImageData(image, 0, 0);
      return new File([await canvas.convertToBlob({ type: 'image/png' })], name, { type: 'image/png' });
    },
  };
}
