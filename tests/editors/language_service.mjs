// Asks VS Code's JSON language service what it makes of documents. stdin: [{path, text, offsets}]; stdout: one answer each.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

const { getLanguageService, TextDocument } = createRequire(process.argv[2] + "/")("vscode-json-languageservice");

const service = getLanguageService({
  schemaRequestService: async (uri) => readFileSync(fileURLToPath(uri), "utf8"),
  workspaceContext: { resolveRelativePath: (path, base) => new URL(path, base).toString() },
});
service.configure({ validate: true, allowComments: false });

const answers = [];
for (const { path, text, offsets } of JSON.parse(readFileSync(0, "utf8"))) {
  const document = TextDocument.create(pathToFileURL(path).toString(), "json", 1, text);
  const parsed = service.parseJSONDocument(document);
  const places = [];
  for (const offset of offsets) {
    const position = document.positionAt(offset);
    const completions = await service.doComplete(document, position, parsed);
    const hover = await service.doHover(document, position, parsed);
    places.push({ labels: completions.items.map((item) => item.label), hover: hover ? hover.contents.join("\n") : "" });
  }
  const diagnostics = await service.doValidation(document, parsed);
  answers.push({ places, problems: diagnostics.map((each) => ({ line: each.range.start.line + 1, message: each.message })) });
}
console.log(JSON.stringify(answers));
