/**
 * Rules of `deno lint` for calls that should return a promise but might throw instead. An example is
 * `work()` in `Promise.resolve(work())`, or `callback()` in `callback().catch(…)`. If such a call throws,
 * there is no promise yet, so nothing handles the error.
 */

type Node = Deno.lint.Node;
type Scope = Deno.lint.ArrowFunctionExpression | Deno.lint.FunctionExpression | Deno.lint.FunctionDeclaration;

const HANDLERS = ["then", "catch", "finally"];

const plugin: Deno.lint.Plugin = {
  name: "rearguard",
  rules: {
    "promise-resolve-of-call": {
      create: (context) => ({
        CallExpression(node) {
          const [argument] = node.arguments;
          if (isTest(context.filename)) return;
          if (!isPromiseResolve(node) || argument === undefined || !holdsCall(argument)) return;
          context.report({
            node,
            message: "An exception in the argument does not become a rejection",
            hint: "Return the value itself where the caller awaits it, or make the function async",
          });
        },
      }),
    },
    "handled-callback": {
      create: (context) => ({
        CallExpression(node) {
          const { callee } = node;
          if (callee.type !== "MemberExpression" || callee.property.type !== "Identifier") return;
          if (!HANDLERS.includes(callee.property.name) || callee.object.type !== "CallExpression") return;
          const { callee: called } = callee.object;
          if (called.type !== "Identifier") return;
          const scopes = context.sourceCode.getAncestors(node).filter(isFunction);
          if (!scopes.some(({ params }) => params.some((param) => isNamed(param, called.name)))) return;
          context.report({
            node,
            message: `An exception that ${called.name} throws synchronously is not handled`,
            hint: "Call it with await in an async function, inside of try",
          });
        },
      }),
    },
  },
};

export default plugin;

function isTest(path: string): boolean {
  return path.endsWith("_test.ts") || path.includes("/tests/");
}

function isPromiseResolve({ callee }: Deno.lint.CallExpression): boolean {
  return callee.type === "MemberExpression" && callee.object.type === "Identifier" &&
    callee.object.name === "Promise" && callee.property.type === "Identifier" &&
    callee.property.name === "resolve";
}

function holdsCall(node: Node): boolean {
  if (node.type === "CallExpression" || node.type === "NewExpression") return true;
  if (isFunction(node)) return false;
  return Object.entries(node).some(([key, value]) =>
    key !== "parent" &&
    (Array.isArray(value) ? value : [value]).some((inner) => isNode(inner) && holdsCall(inner))
  );
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as Node).type === "string";
}

function isFunction(node: Node): node is Node & Scope {
  return ["ArrowFunctionExpression", "FunctionExpression", "FunctionDeclaration"].includes(node.type);
}

function isNamed(param: Deno.lint.Parameter, name: string): boolean {
  return param.type === "Identifier" && param.name === name;
}
