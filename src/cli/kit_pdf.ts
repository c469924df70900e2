/** Converts the recovery kit's text to a PDF for printing. */
import PDFDocument from "pdfkit";

/** The used parts of a document: pdfkit has no types. */
interface Document {
  font(name: string): Document;
  fontSize(points: number): Document;
  text(text: string): Document;
  on(event: "data" | "end", listener: (chunk: Uint8Array) => void): void;
  end(): void;
}

/** In points, on A4. */
const MARGIN = 40;

/**
 * @param lines The lines of the text. Those that start with `# ` are headings, those that start with two
 * spaces are commands.
 */
export async function kitPdf(lines: readonly string[]): Promise<Uint8Array> {
  const info = { Title: "Rearguard recovery kit" };
  const document = new PDFDocument({ size: "A4", margin: MARGIN, info }) as unknown as Document;
  const chunks: Uint8Array[] = [];
  document.on("data", (chunk) => chunks.push(chunk));
  const ended = new Promise<void>((resolve) => document.on("end", () => resolve()));
  for (const line of lines) {
    const [font, size] = line.startsWith("# ")
      ? ["Helvetica-Bold", 11] as const
      : line.startsWith("  ")
      ? ["Courier", 7.5] as const
      : ["Helvetica", 8.5] as const;
    document.font(font).fontSize(size).text(printable(line.replace(/^# /, "")) || " ");
  }
  document.end();
  await ended;
  return new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
}

/** Replaces characters that the built-in fonts cannot show: all but Western European ones. */
function printable(text: string): string {
  return text.replaceAll("…", "...").replaceAll(/[^\x20-\x7e\xa0-\xff]/g, "?");
}
