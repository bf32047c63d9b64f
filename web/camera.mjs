// camera.mjs: the camera's picture in the dialog, and a photo of it in grey
const SIDE = 4096; // the camera gives what it has, up to this

/** @param {HTMLVideoElement} video */
export function createCamera(video) {
  /** @type {MediaStream | null} */
  let stream = null;

  return {
    /** @returns {Promise<boolean>} false when there is no camera, or it may not be used */
    async open() {
      try {
        stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment', width: { ideal: SIDE } } });
        video.srcObject = stream;
        await video.play();
        return true;
      } catch {
        this.close();
        return false;
      }
    },

    close() {
      for (const track of stream?.getTracks() ?? []) track.stop();
      stream = video.srcObject = null;
    },

    /** A film has no colours; those of lamp and lens would only let the gate take it for a colour picture.
     *  @param {string} name  @returns {Promise<File>} */
    async shoot(name) {
      const { videoWidth: width, videoHeight: height } = video;
      const canvas = new OffscreenCanvas(width, height), context = canvas.getContext('2d');
      context.drawImage(video, 0, 0);
      const image = context.getImageData(0, 0, width, height), { data } = image;
      for (let i = 0; i < data.length; i += 4) data[i] = data[i + 1] = data[i + 2] = 0.2126 * data[i] + 0.7152 * data[i + 1] + 0.0722 * data[i + 2];
      context.putImageData(image, 0, 0);
      return new File([await canvas.convertToBlob({ type: 'image/png' })], name, { type: 'image/png' });
    },
  };
}
