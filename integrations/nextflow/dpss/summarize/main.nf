process DPSS_SUMMARIZE {
    tag "$meta.id"
    label 'process_medium'

    conda "${moduleDir}/environment.yml"
    container "ghcr.io/databiosphere/data-portal-summary-stats:0.1.0"

    input:
    tuple val(meta), val(samples), path(matrices, stageAs: 'matrices/?/*')

    output:
    tuple val(meta), path("${prefix}/index.html")        , emit: html
    tuple val(meta), path("${prefix}")                   , emit: pages
    tuple val(meta), path("${prefix}/*/*/summary.json")  , emit: json
    tuple val(meta), path("${prefix}/multiqc/*_mqc.json"), emit: multiqc
    path "versions.yml"                                  , emit: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    prefix = task.ext.prefix ?: "${meta.id}"
    // A word of the commands below and a name of files, so that other characters are refused.
    if (!(prefix ==~ /[A-Za-z0-9_][A-Za-z0-9_.+-]*/)) {
        error "DPSS_SUMMARIZE: id or prefix has other characters than letters, digits, _ . + and -: ${prefix}"
    }
    // A sample sheet, so that samples have their own names whatever their files are called.
    def titles = ['sample', 'path', 'expected_cells', 'chemistry', 'group']
    def rows = [[samples].flatten(), [matrices].flatten()].transpose().collect { sample, matrix ->
        def texts = [sample.chemistry, sample.group].collect { "${it ?: ''}".replaceAll(/\s+/, ' ') }
        [sample.id, matrix, sample.expected_cells ?: ''] + texts
    }
    // Fields are quoted as in CSV where they need it, and each line as a word of the shell.
    def field = { "$it".find(/["\t\r\n]/) ? '"' + "$it".replace('"', '""') + '"' : "$it" }
    def lines = ([titles] + rows).collect { row -> "'" + row.collect(field).join('\t').replace("'", "'\\''") + "'" }.join(' ')
    """
    printf '%s\\n' ${lines} > ${prefix}.tsv

    # 3: all is done, and a sample fails the policy of ext.args; the pages say which and why.
    dpss summarize \\
        --samplesheet ${prefix}.tsv \\
        --output ${prefix} \\
        --threads ${task.cpus} \\
        ${args} || [ \$? -eq 3 ]

    cat <<-END_VERSIONS > versions.yml
    "${task.process}":
        dpss: \$(dpss --version | sed 's/dpss //')
    END_VERSIONS
    """

    stub:
    prefix = task.ext.prefix ?: "${meta.id}"
    if (!(prefix ==~ /[A-Za-z0-9_][A-Za-z0-9_.+-]*/)) {
        error "DPSS_SUMMARIZE: id or prefix has other characters than letters, digits, _ . + and -: ${prefix}"
    }
    """
    mkdir -p ${prefix}/${prefix}/sample ${prefix}/multiqc
    touch ${prefix}/index.html ${prefix}/${prefix}/sample/summary.json ${prefix}/multiqc/general_mqc.json

    cat <<-END_VERSIONS > versions.yml
    "${task.process}":
        dpss: \$(dpss --version | sed 's/dpss //')
    END_VERSIONS
    """
}
