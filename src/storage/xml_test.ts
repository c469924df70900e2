import assert from "node:assert/strict";
import { childrenOf, escapeXml, parseXml, textOf } from "./xml.ts";

Deno.test("elements, text, entities, CDATA and namespaces are read", () => {
  const root = parseXml(`<?xml version="1.0" encoding="UTF-8"?>
<s3:List xmlns:s3="http://s3.amazonaws.com/doc/2006-03-01/"><!-- two -->
  <Contents><Key>a &amp; b&#x2F;&#99;</Key><Size>3</Size></Contents>
  <Contents><Key><![CDATA[<raw>]]></Key><Owner xsi:type="User"/></Contents>
</s3:List>
`);
  assert.equal(root.name, "List");
  assert.deepEqual(childrenOf(root, "Contents").map((one) => textOf(one, "Key")), ["a & b/c", "<raw>"]);
  assert.equal(textOf(root.children[1]!, "Size"), null);
});

Deno.test("what is not one well-formed document is refused", () => {
  for (
    const document of [
      "",
      "Service Unavailable",
      "<a>",
      "</a>",
      "<a></b>",
      "<a/><b/>",
      "<a>&evil;</a>",
      "<a>& b</a>",
      "<a>&#x110000;</a>",
      "<a b=c/>",
      '<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>',
      "<html><p>Bad gateway</html>",
    ]
  ) {
    assert.throws(() => parseXml(document), SyntaxError, document);
  }
});

Deno.test("an escaped text reads back", () => {
  const text = `"<a>" & 'b' é\n`;
  assert.equal(parseXml(`<t>${escapeXml(text)}</t>`).text, text);
});
