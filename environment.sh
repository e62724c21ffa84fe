# shellcheck shell=bash
# The deployment's variables in this shell, as in 2019:  source environment.sh dev
#
# Exports TF_VAR_<name> for each line of infra/environments/<stage>.tfvars, so that terraform and
# `make deploy` see them, and DPSS_ACCOUNT and AWS_REGION. A variable of 2019 that is set in the shell
# (DPSS_TASK_CPU, DPSS_TASK_MEMORY, DPSS_VPC_ID, DPSS_MATRIX_SOURCE, DPSS_BLACKLIST) wins over the
# file. Needs only aws and jq, and says what is missing. Works in bash and zsh.

_dpss_environment() {
    local here stage file line name value missing="" tool identity
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

    while IFS= read -r line || [ -n "$line" ]; do
        case $line in '' | '#'*) continue ;; esac
        name=${line%%=*}
        name=${name%%[[:space:]]*}
        value=${line#*=}
        value=${value#"${value%%[![:space:]]*}"}
        case $value in
            \"*) value=${value#\"} value=${value%%\"*} ;;
            *) value=${value%%[[:space:]]#*} ;;
        esac
        [ -n "$name" ] && export "TF_VAR_$name=$value"
    done <"$file"

    [ -n "${DPSS_TASK_CPU:-}" ] && export TF_VAR_task_cpu=$DPSS_TASK_CPU
    [ -n "${DPSS_TASK_MEMORY:-}" ] && export TF_VAR_task_memory=$DPSS_TASK_MEMORY
    [ -n "${DPSS_VPC_ID:-}" ] && export TF_VAR_vpc_id=$DPSS_VPC_ID
    [ -n "${DPSS_MATRIX_SOURCE:-}" ] && export TF_VAR_source_name=$DPSS_MATRIX_SOURCE
    case ${DPSS_BLACKLIST:-} in
        1 | true) export TF_VAR_use_blacklist=true ;;
        0 | false) export TF_VAR_use_blacklist=false ;;
    esac
    if [ -n "${TF_VAR_vpc_id:-}" ] && [ -z "${TF_VAR_subnet_ids:-}" ]; then
        echo "environment.sh: vpc_id is set, but not subnet_ids: add them to $file" >&2
    fi

    export AWS_REGION=${TF_VAR_aws_region:-us-east-1}
    if ! identity=$(aws sts get-caller-identity --output json 2>&1); then
        echo "environment.sh: AWS does not know you: $(printf '%s\n' "$identity" | tail -n 1)" >&2
        echo "environment.sh: log in, or set AWS_DEFAULT_PROFILE to one of: $(aws configure list-profiles 2>/dev/null | tr '\n' ' ')" >&2
        return 1
    fi
    DPSS_ACCOUNT=$(printf '%s' "$identity" | jq -r .Account)
    export DPSS_ACCOUNT
    if [ -n "${TF_VAR_account_id:-}" ] && [ "$TF_VAR_account_id" != "$DPSS_ACCOUNT" ]; then
        echo "environment.sh: these are credentials of account $DPSS_ACCOUNT, but '$stage' belongs to $TF_VAR_account_id" >&2
        return 1
    fi
    echo "Stage $stage, account $DPSS_ACCOUNT, region $AWS_REGION"
}

# The folder of this file, in bash and in zsh.
if [ -n "${BASH_SOURCE[0]:-}" ]; then
    _dpss_environment "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)" "$@"
else
    _dpss_environment "$(cd "$(dirname "$0")" && pwd)" "$@"
fi
