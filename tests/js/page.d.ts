// What pages have from htmx.

interface HtmxDetail {
  xhr: XMLHttpRequest;
  target: Element;
  shouldSwap: boolean;
  successful: boolean;
}

interface Htmx {
  trigger(element: Element, name: string): void;
  ajax(method: string, address: string, context: { target: Element; swap: string }): void;
}

interface SwaggerOptions {
  plugins: unknown[];
}

interface Window {
  htmx: Htmx;
  SwaggerUIBundle: (options: SwaggerOptions) => unknown;
}

interface DocumentEventMap {
  "htmx:beforeRequest": CustomEvent<HtmxDetail>;
  "htmx:beforeSwap": CustomEvent<HtmxDetail>;
  "htmx:responseError": CustomEvent<HtmxDetail>;
  "htmx:afterSettle": CustomEvent<HtmxDetail>;
}

interface HTMLElementEventMap {
  "htmx:afterRequest": CustomEvent<HtmxDetail>;
}
