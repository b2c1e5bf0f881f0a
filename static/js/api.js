// The documents of the REST interface: what Swagger's page lacks for keyboards and screen readers.

{
  const whole = window.SwaggerUIBundle;
  const improvements = () => ({
    wrapComponents: {
      // The path of an operation is a link within the button that opens it: two controls in one place, which do the same.
      DeepLink: wrapped((original, React, props) => React.createElement(original, { ...props, enabled: false })),
      InfoContainer: wrapped((original, React, props) =>
        React.createElement("section", { "aria-label": "About" }, React.createElement(original, props))),
      // Between the title and the headings of the tags a step was left out.
      operations: wrapped((original, React, props) =>
        React.createElement("div", null, React.createElement("h2", { className: "step" }, "Operations"), React.createElement(original, props))),
    },
  });
  /** @param {(original: unknown, React: {createElement: Function}, props: object) => unknown} draw */
  function wrapped(draw) {
    /** @type {(original: unknown, system: {React: {createElement: Function}}) => (props: object) => unknown} */
    return (original, { React }) => (props) => draw(original, React, props);
  }
  /** @param {SwaggerOptions} options */
  const improved = (options) => whole({ ...options, plugins: [...options.plugins, improvements] });
  window.SwaggerUIBundle = Object.assign(improved, whole);
}
