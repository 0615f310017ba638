/** Server-sent events as the WHATWG describes them, read from a fetch: an EventSource cannot send a bearer token. */

export interface ServerEvent {
  id: string;
  type: string;
  data: string;
}

/** Turns the text of a stream, cut anywhere, into events. */
export class EventParser {
  lastId = "";
  retryMs: number | null = null;

  private rest = "";
  private data: string[] = [];
  private type = "";
  private afterReturn = false;

  /** The events that the next piece of text completes. */
  push(text: string): ServerEvent[] {
    if (this.afterReturn && text.startsWith("\n")) text = text.slice(1); // the second half of a CR LF
    this.afterReturn = text.endsWith("\r");
    const lines = (this.rest + text).split(/\r\n|\r|\n/);
    this.rest = lines.pop() ?? "";
    return lines.flatMap((line) => this.line(line));
  }

  private line(line: string): ServerEvent[] {
    if (line === "") return this.dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return []; // a comment, sent to keep the connection
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") this.data.push(value);
    else if (name === "event") this.type = value;
    else if (name === "id" && !value.includes("\0")) this.lastId = value;
    else if (name === "retry" && /^\d+$/.test(value)) this.retryMs = Number(value);
    return [];
  }

  private dispatch(): ServerEvent[] {
    const event = { id: this.lastId, type: this.type || "message", data: this.data.join("\n") };
    const empty = this.data.length === 0;
    this.data = [];
    this.type = "";
    return empty ? [] : [event];
  }
}
