// Evaluates one task of a Nextflow process: prints the script of its block `script` or `stub`.
// Arguments: main.nf, block, and the task as JSON: meta, samples, matrices, args, cpus.
import groovy.json.JsonSlurper

def (path, block, json) = args as List
def given = new JsonSlurper().parseText(json)
def text = new File(path).text
// Blocks become methods, so that only the wanted one is evaluated; a declaration is none of a closure.
def body = text.replaceFirst(/(?s)^.*?process \w+ \{\n/, '').replaceFirst(/(?s)\n\}\s*$/, '')
def parts = body.split(/(?m)^    (?=(?:input|output|when|script|stub):$)/)
def wanted = parts.find { it.startsWith("${block}:") }
new GroovyShell().parse(text)  // the whole module is Groovy
def binding = new Binding([
    task: [ext: [args: given.args, prefix: null, when: null], cpus: given.cpus, process: 'DPSS_SUMMARIZE'],
    error: { said -> throw new IllegalArgumentException(said.toString()) },
    meta: given.meta, samples: given.samples, matrices: given.matrices,
])
def made = new GroovyShell(binding).evaluate(wanted - "${block}:")
print made.toString().stripIndent()
