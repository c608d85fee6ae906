/** Files that are made in the browser and saved by it. */

const PAD = 16;

function download(name: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export const save = {
  /** Save a text; the mark at its beginning has spreadsheets read it as UTF-8. */
  text(name: string, text: string): void {
    download(name, new Blob(["\ufeff", text], { type: "text/csv;charset=utf-8" }));
  },

  /** Save what a canvas shows, on the ground and in the ink of what stands around it, with a title above. */
  picture(name: string, canvas: HTMLCanvasElement, around: HTMLElement, title: string): void {
    const scale = devicePixelRatio;
    const style = getComputedStyle(around);
    const head = 32 * scale;
    const page = document.createElement("canvas");
    page.width = canvas.width + 2 * PAD * scale;
    page.height = canvas.height + head + 2 * PAD * scale;
    const pen = page.getContext("2d");
    if (pen === null) return;
    pen.fillStyle = style.backgroundColor;
    pen.fillRect(0, 0, page.width, page.height);
    pen.fillStyle = style.color;
    pen.font = `600 ${14 * scale}px ${style.fontFamily}`;
    pen.fillText(title, PAD * scale, (PAD + 14) * scale);
    pen.drawImage(canvas, PAD * scale, PAD * scale + head);
    page.toBlob((content) => {
      if (content !== null) download(name, content);
    }, "image/png");
  },
};
