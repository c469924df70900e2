/** Converts the recovery kit's text to a PDF for printing. */
import PDFDocument from "pdfkit";

/** Type of pdfkit's document, because pdfkit comes without types. Declares only what is used here. */
interface Document {
  font(name: string): Document;
  fontSize(points: number): Document;
  text(text: string): Document;
  on(event: "data" | "end", listener: (chunk: Uint8Array) => void): void;
  end(): void;
}

/** The margin of the A4 pages, in points. */
const MARGIN = 40;

/**
 * Returns the PDF of the recovery kit.
 *
 * @param lines The text's lines. `# ` starts a heading, two spaces start a command.
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

/** Replaces characters that the built-in fonts cannot show. They show Western European characters only. */
function printable(text: string): string {
  return text.replaceAll("…", "...").replaceAll(/[^\x20-\x7e\xa0-\xff]/g, "?");
}
