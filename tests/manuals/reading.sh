# reading.sh: takes out of the sources of manual pages what the tests compare. In the sections
# ADDRESSES and OPTIONS each word stands in a line ".It Cm WORD", its other names in the line
# ".Pq also Cm NAME , Cm NAME" behind it.

# page_section PAGE SECTION: the lines of a section.
page_section()
{
    awk -v section=".Sh $2" '/^\.Sh / { inside = $0 == section } inside' "$1"
}

# page_options PAGE: "GROUP NAME[,ALIAS...]", sorted.
page_options()
{
    page_section "$1" OPTIONS | awk '
        function show() { if (name != "") print group, name; name = "" }
        /^\.(Ss|It|El)/ { show() }
        /^\.Ss Group / { group = $3 }
        /^\.It Cm / { name = $3 }
        /^\.Pq also / { for (i = 4; i <= NF; i += 3) name = name "," $i }
        END { show() }' | sort
}

# page_types PAGE: "NAME[,ALIAS...] SYNTAX", sorted; parameters stand as in help.
page_types()
{
    page_section "$1" ADDRESSES | awk '
        function show() { if (name != "") print name " " syntax; name = "" }
        /^\.(It|El)/ { show() }
        /^\.It Cm / {
            name = $3
            syntax = ""
            for (i = 4; i <= NF; i++)
                if ($i == "Ar") syntax = syntax "<" $++i ">"
                else if ($i == "Oo") syntax = syntax "["
                else if ($i == "Oc") syntax = syntax "]"
                else if ($i != "Ns") syntax = syntax $i
        }
        /^\.Pq also / { for (i = 4; i <= NF; i += 3) name = name "," $i }
        END { show() }' | sort
}

# page_groups PAGE: "NAME GROUP,GROUP,..." of the types above which the groups are told.
page_groups()
{
    page_section "$1" ADDRESSES | awk '
        /^\.It Cm / && name == "" { name = $3 }
        /^Option groups: / {
            groups = $0
            gsub(/^Option groups: |[ .]/, "", groups)
            print name, groups
            name = ""
        }' | sort
}
