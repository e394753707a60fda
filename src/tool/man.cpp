#include "tool/commands.hpp"

#include <sonde/packet/escape.hpp>

#include <fmt/format.h>

#include <algorithm>

// What is made of the options of all commands: manual pages and what shells complete.
namespace sonde::inline v0::tool {

namespace po = boost::program_options;

verb man_verb(std::string const&) {
    verb v("man", "TOOL", "Print the manual page of a tool, in roff.", "sonde man scan | man -l -", false);
    v.exit_status = "0, or 2 when there is no such tool.";
    return v;
}

verb completion_verb(std::string const&) {
    verb v("completion", "bash|zsh",
           "Print what makes a shell complete commands, options and files of sonde.",
           "source <(sonde completion bash)", false);
    v.exit_status = "0, or 2 for another shell.";
    return v;
}

namespace {

/// Text in roff: no line begins a request, no dash becomes a hyphen.
std::string roff(std::string_view text) {
    std::string out;
    for (char c : text) {
        if ((out.empty() || out.back() == '\n') && (c == '.' || c == '\'')) out += "\\&";
        if (c == '-')
            out += "\\-";
        else if (c == '\\')
            out += "\\e";
        else
            out += c;
    }
    return out;
}

std::string names_of(po::option_description const& o) {
    auto names = o.format_name();
    return o.semantic()->max_tokens() == 0 ? names : names + " " + o.format_parameter();
}

std::string manual_of(verb const& v) {
    auto text = fmt::format(
        ".TH SONDE-{0} 1 \"\" \"sonde {1}\" \"User Commands\"\n.SH NAME\nsonde-{2} \\- {3}\n.SH SYNOPSIS\n.B "
        "sonde {2}\n{4}\n",
        roff(v.name), SONDE_VERSION, roff(v.name), roff(v.about.substr(0, v.about.find_first_of(".:;,"))),
        roff(v.synopsis));
    text += fmt::format(
        ".SH DESCRIPTION\n{}\n.PP\nDurations take units: 500ms, 2s, 1m; a plain number is seconds.\n.SH "
        "OPTIONS\n",
        roff(v.about));
    for (auto const& o : v.options.options())
        text += fmt::format(".TP\n.B {}\n{}\n", roff(names_of(*o)), roff(o->description()));
    text += fmt::format(
        ".SH EXIT STATUS\n{}\n.SH EXAMPLE\n.nf\n{}\n.fi\n.SH SEE ALSO\nsonde \\-\\-help, sonde lab "
        "\\-\\-help\n",
        roff(v.exit_status), roff(v.example));
    return text;
}

constexpr std::string_view others[] = {"build", "dissect", "match", "layers", "lab", "help"};

std::string all_names() {
    std::string names;
    for (auto const& c : commands()) names += std::string(c.name) + " ";
    for (auto n : others) names += std::string(n) + " ";
    names.pop_back();
    return names;
}

/// Those that `man` knows.
std::string names_of_tools() {
    std::string names;
    for (auto const& c : commands()) names += (names.empty() ? "" : " ") + std::string(c.name);
    return names;
}

std::string options_of(verb const& v) {
    std::string list;
    for (auto const& o : v.options.options()) list += (list.empty() ? "--" : " --") + o->long_name();
    return list;
}

std::string for_bash() {
    std::string cases;
    for (auto const& c : commands()) {
        if (c.name == "man" || c.name == "completion") continue;  // words of their own
        cases +=
            fmt::format("        {}) words=\"{}\" ;;\n", c.name, options_of(c.describe(std::string(c.name))));
    }
    return fmt::format(R"sh(_sonde() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} words=
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "{} --help --version" -- "$current"))
        return
    fi
    case $previous in
        --iface|-i|--intf2|-I) COMPREPLY=($(compgen -W "$(ls /sys/class/net)" -- "$current")); return ;;
    esac
    case ${{COMP_WORDS[1]}} in
{}        man) words="{}" ;;
        completion) words="bash zsh" ;;
    esac
    case $current in
        -*) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
        *) case ${{COMP_WORDS[1]}} in
               man|completion) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
               *) COMPREPLY=($(compgen -f -- "$current")) ;;
           esac ;;
    esac
}}
complete -o filenames -F _sonde sonde
)sh",
                       all_names(), cases, names_of_tools());
}

/// For a single-quoted string of _arguments.
std::string zsh(std::string_view text) {
    std::string out;
    for (char c : text) {
        if (c == '[' || c == ']' || c == ':') out += '\\';
        out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    return out;
}

std::string for_zsh() {
    std::string cases;
    for (auto const& c : commands()) {
        if (c.name == "man" || c.name == "completion") continue;  // words of their own
        auto v = c.describe(std::string(c.name));
        cases += fmt::format("        {}) _arguments", c.name);
        for (auto const& o : v.options.options()) {
            auto value = o->semantic()->max_tokens() == 0 ? ""
                         : o->long_name() == "iface" || o->long_name() == "intf2"
                             ? ":interface:_net_interfaces"
                         : o->long_name().ends_with("file") ? ":file:_files"
                                                            : ":value:_files";
            cases += fmt::format(" '--{}[{}]{}'", o->long_name(), zsh(o->description()), value);
        }
        cases += " '*:file:_files' ;;\n";
    }
    return fmt::format(R"sh(#compdef sonde
_sonde() {{
    if (( CURRENT == 2 )); then
        compadd -- {} --help --version
        return
    fi
    local command=$words[2]
    shift words
    (( CURRENT-- ))
    case $command in
{}        man) compadd -- {} ;;
        completion) compadd -- bash zsh ;;
    esac
}}
if [ "$funcstack[1]" = "_sonde" ]; then _sonde; else compdef _sonde sonde; fi
)sh",
                       all_names(), cases, names_of_tools());
}

}  // namespace

int run_man(std::string const& name, words const& arguments_) {
    auto v = man_verb(name);
    v.needs_subject = false, v.many_subjects = true;
    auto a = v.parse(arguments_);
    if (a.has("help")) return v.print_help(), answered;
    if (a.subjects.size() != 1) throw usage_error("of which tool? Write sonde man TOOL");
    auto found = std::ranges::find(commands(), a.subjects[0], &command::name);
    if (found == commands().end())
        throw usage_error(
            fmt::format("no manual page of \"{}\"; sonde --help lists the tools", escape(a.subjects[0])));
    fmt::print("{}", manual_of(found->describe(a.subjects[0])));
    return answered;
}

int run_completion(std::string const& name, words const& arguments_) {
    auto v = completion_verb(name);
    v.needs_subject = false, v.many_subjects = true;
    auto a = v.parse(arguments_);
    if (a.has("help")) return v.print_help(), answered;
    if (a.subjects != words{"bash"} && a.subjects != words{"zsh"})
        throw usage_error("for which shell? Write sonde completion bash, or zsh");
    fmt::print("{}", a.subjects[0] == "bash" ? for_bash() : for_zsh());
    return answered;
}

}  // namespace sonde::inline v0::tool
