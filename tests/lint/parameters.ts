/**
 * A rule of `deno lint` against long lists of parameters. In a call, a reader cannot tell six values apart. A
 * function that needs more values takes an object with named fields.
 */
type Node = Deno.lint.FunctionDeclaration | Deno.lint.FunctionExpression | Deno.lint.ArrowFunctionExpression;

const MOST = 5;

const plugin: Deno.lint.Plugin = {
  name: "rearguard-parameters",
  rules: {
    "at-most-five": {
      create(context) {
        const check = (node: Node) => {
          if (node.params.length <= MOST) return;
          context.report({
            range: node.params[MOST]!.range,
            message: `${node.params.length} parameters, which is more than ${MOST}`,
            hint: "Pass an object whose fields have names",
          });
        };
        // The parameters of a method or a constructor are in a FunctionExpression.
        return { FunctionDeclaration: check, FunctionExpression: check, ArrowFunctionExpression: check };
      },
    },
  },
};

export default plugin;
