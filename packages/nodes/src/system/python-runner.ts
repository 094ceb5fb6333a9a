/** Runs a workflow's Python code in a process of its own; reads `input.json` and leaves `answer.json` in its folder. */
export const PYTHON_RUNNER: string = `import json, os, sys, traceback

folder = sys.argv[1]
with open(os.path.join(folder, "input.json"), encoding="utf-8") as file:
    given = json.load(file)
scope = dict(given["variables"])
scope["__name__"] = "__main__"
error = None
try:
    exec(compile(given["code"], "<script>", "exec"), scope)
except SystemExit as end:
    if end.code not in (None, 0):
        error = "SystemExit: %s" % (end.code,)
except BaseException:
    kind, value, trace = sys.exc_info()
    error = "".join(traceback.format_exception(kind, value, trace.tb_next)).strip()
sys.stdout.flush()
try:
    text = json.dumps({"result": scope.get("result"), "error": error}, default=str, allow_nan=False)
except Exception as fault:
    text = json.dumps({"result": None, "error": error or "result cannot be kept: %s" % (fault,)})
with open(os.path.join(folder, "answer.part"), "w", encoding="utf-8") as file:
    file.write(text)
os.replace(os.path.join(folder, "answer.part"), os.path.join(folder, "answer.json"))
`;
