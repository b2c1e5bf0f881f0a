import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: ["tests/js/node_modules/"] },
  js.configs.recommended,
  {
    files: ["static/js/*.js"],
    languageOptions: { globals: globals.browser },
    rules: {
      "max-len": ["error", { code: 140, ignoreStrings: true, ignoreTemplateLiterals: true }],
      "max-lines": ["error", 400],
      "max-lines-per-function": ["error", { max: 50, skipComments: true }],
      "max-params": ["error", 6],
      "no-empty": ["error", { allowEmptyCatch: false }],
      "no-shadow": "error",
      "no-var": "error",
      "prefer-const": "error",
      eqeqeq: "error",
      "no-implicit-globals": "error",
    },
  },
  { files: ["static/js/triage-worker.js"], languageOptions: { globals: globals.serviceworker } },
  { files: ["tests/js/*.js"], languageOptions: { globals: globals.node } },
];
