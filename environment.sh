# shellcheck shell=bash
# The deployment's variables in this shell, as in 2019:  source environment.sh dev
#
# Exports TF_VAR_<name> for each line of infra/environments/<stage>.tfvars, the names that the README
# of 2019 uses (TF_VAR_image_tag, TF_VAR_acc_number, TF_VAR_source, TF_VAR_dev), DPSS_ACCOUNT and
# AWS_REGION. What the shell itself says wins over the file: first a variable of 2019 (DPSS_TASK_CPU,
# DPSS_TASK_MEMORY, DPSS_VPC_ID, DPSS_MATRIX_SOURCE, DPSS_BLACKLIST, DPSS_IMAGE_TAG), then
# TF_VAR_<name>; `make deploy` has the same precedence (tools/stage.py). DPSS_FROM_FILE lists what was
# set here, so that sourcing another stage takes it back. Whatever fails, fails before anything is set.
# Needs only aws and jq, and says what is missing. Works in bash and zsh.

# Set TF_VAR_$1 to $2, unless the shell has a value of its own; both go to the caller's $lines.
_dpss_take() {
    local name=TF_VAR_$1 value=$2 there
    eval "there=\${$name-}"
    if [ -n "$there" ]; then
        case "$nl${DPSS_FROM_FILE-}$nl" in
            *"$nl$name=$there$nl"*) ;;
            *) return 0 ;;
        esac
    fi
    lines="$lines$name=$value$nl"
}

# Print what TF_VAR_$1 will be: as it was taken, or as the shell has it.
_dpss_taken() {
    local rest there
    rest=${nl}${lines}
    case $rest in
        *"${nl}TF_VAR_$1="*)
            rest=${rest##*"${nl}TF_VAR_$1="}
            printf '%s' "${rest%%"$nl"*}"
            ;;
        *)
            eval "there=\${TF_VAR_$1-}"
            # What an earlier sourcing set is gone after this one.
            case "$nl${DPSS_FROM_FILE-}$nl" in
                *"${nl}TF_VAR_$1=$there$nl"*) ;;
                *) printf '%s' "$there" ;;
            esac
            ;;
    esac
}

# Export the lines of $1; take back those of DPSS_FROM_FILE that are still as they were set.
_dpss_export() {
    local line name there
    while IFS= read -r line; do
        name=${line%%=*}
        case $name in '' | *[!A-Za-z0-9_]*) continue ;; esac
        eval "there=\${$name-}"
        if [ "$name=$there" = "$line" ]; then unset "$name"; fi
    done <<OLD
${DPSS_FROM_FILE-}
OLD
    while IFS= read -r line; do
        if [ -n "$line" ]; then export "${line?}"; fi
    done <<NEW
$1
NEW
    export DPSS_FROM_FILE="$1"
}

# Print the image's tag: DPSS_IMAGE_TAG, or the commit as `make image` has it.
_dpss_tag() {
    local tag
    if [ -n "${DPSS_IMAGE_TAG-}" ]; then
        printf '%s' "$DPSS_IMAGE_TAG"
        return
    fi
    tag=$(git -C "$1" rev-parse --short=12 HEAD 2>/dev/null) || tag=local
    if [ -n "$(git -C "$1" status --porcelain --untracked-files=no 2>/dev/null)" ]; then
        tag=$tag-changed
    fi
    printf '%s' "$tag"
}

_dpss_environment() {
    local here stage file line name value missing="" tool identity account wanted region lines="" nl='
'
    here=$1
    stage=${2:-${DPSS_DEPLOYMENT_STAGE:-dev}}
    file="$here/infra/environments/$stage.tfvars"
    if [ ! -f "$file" ]; then
        echo "environment.sh: there is no stage '$stage'; there is dev, integration, staging and prod" >&2
        return 1
    fi
    for tool in aws jq; do
        command -v "$tool" >/dev/null || missing="$missing $tool"
    done
    if [ -n "$missing" ]; then
        echo "environment.sh: missing:$missing. Install the AWS CLI (aws) and jq" >&2
        return 1
    fi

    # A value that is taken later wins: the shell's variables of 2019 over the file.
    while IFS= read -r line || [ -n "$line" ]; do
        case $line in [A-Za-z_]*=*) ;; *) continue ;; esac
        name=${line%%=*}
        name=${name%%[[:space:]]*}
        value=${line#*=}
        value=${value#"${value%%[![:space:]]*}"}
        case $value in
            \"*) value=${value#\"} value=${value%%\"*} ;;
            *) value=${value%%[[:space:]]#*} value=${value%"${value##*[![:space:]]}"} ;;
        esac
        case $name in *[!A-Za-z0-9_]*) continue ;; esac
        _dpss_take "$name" "$value"
    done <"$file"
    [ -z "${DPSS_TASK_CPU-}" ] || lines="${lines}TF_VAR_task_cpu=$DPSS_TASK_CPU$nl"
    [ -z "${DPSS_TASK_MEMORY-}" ] || lines="${lines}TF_VAR_task_memory=$DPSS_TASK_MEMORY$nl"
    [ -z "${DPSS_VPC_ID-}" ] || lines="${lines}TF_VAR_vpc_id=$DPSS_VPC_ID$nl"
    [ -z "${DPSS_MATRIX_SOURCE-}" ] || lines="${lines}TF_VAR_source_name=$DPSS_MATRIX_SOURCE$nl"
    case ${DPSS_BLACKLIST-} in
        1 | true) lines="${lines}TF_VAR_use_blacklist=true$nl" ;;
        0 | false) lines="${lines}TF_VAR_use_blacklist=false$nl" ;;
    esac
    if [ -n "$(_dpss_taken vpc_id)" ] && [ -z "$(_dpss_taken subnet_ids)" ]; then
        echo "environment.sh: vpc_id is set, but not subnet_ids: add them to $file" >&2
    fi

    region=$(_dpss_taken aws_region)
    region=${region:-us-east-1}
    if ! identity=$(AWS_REGION=$region aws sts get-caller-identity --output json 2>&1); then
        echo "environment.sh: AWS does not know you: $(printf '%s\n' "$identity" | tail -n 1)" >&2
        echo "environment.sh: nothing was set; log in, or set AWS_DEFAULT_PROFILE to one of: $(aws configure list-profiles 2>/dev/null | tr '\n' ' ')" >&2
        return 1
    fi
    account=$(printf '%s' "$identity" | jq -r .Account)
    wanted=$(_dpss_taken account_id)
    if [ -n "$wanted" ] && [ "$wanted" != "$account" ]; then
        echo "environment.sh: these are credentials of account $account, but '$stage' belongs to $wanted; nothing was set" >&2
        return 1
    fi

    # What the README of 2019 uses beside them.
    _dpss_take aws_region "$region"
    _dpss_take acc_number "$account"
    _dpss_take dev "$stage"
    _dpss_take source "$(_dpss_taken source_name)"
    _dpss_take image_tag "$(_dpss_tag "$here")"
    _dpss_export "${lines}DPSS_ACCOUNT=$account${nl}AWS_REGION=$region"
    echo "Stage $stage, account $account, region $region. To deploy: make image push deploy ENV=$stage (not terraform by hand)"
}

# The folder of this file, in bash and in zsh.
if [ -n "${BASH_SOURCE[0]:-}" ]; then
    _dpss_environment "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)" "$@"
else
    _dpss_environment "$(cd "$(dirname "$0")" && pwd)" "$@"
fi
