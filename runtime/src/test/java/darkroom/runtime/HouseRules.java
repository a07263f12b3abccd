package darkroom.runtime;

import com.palantir.javaformat.java.Formatter;
import com.palantir.javaformat.java.FormatterException;
import com.palantir.javaformat.java.JavaFormatterOptions;
import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.util.DocTrees;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePathScanner;
import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.lang.model.element.Modifier;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.jspecify.annotations.Nullable;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;

/** The rules, each a function from what it checks to the list of violations. */
final class HouseRules {
    /** Modules that each module may use. */
    static final Map<String, Set<String>> ARROWS = Map.of(
            "config", Set.of(),
            "edit-tasks", Set.of("config"),
            "tensors", Set.of("config"),
            "actors", Set.of("config", "tensors"),
            "gpu-workers", Set.of("config", "edit-tasks", "tensors", "actors"),
            "reward-actors", Set.of("config", "edit-tasks", "tensors", "actors"),
            "runtime", Set.of("config", "edit-tasks", "tensors", "actors", "gpu-workers", "reward-actors"));

    /** Limit on the top-level classes of a package. */
    static final int CLASSES_MAX = 40;

    /** Headings of a package description, in this order. */
    private static final List<String> PACKAGE_SIGN =
            List.of("<b>Start reading:</b>", "<b>Not here:</b>", "<b>Promises:</b>");

    /** Elements of a pom that name repository locations. */
    static final List<String> ADDRESSES = List.of("repositories", "pluginRepositories", "distributionManagement");

    /** Calls whose result differs the next time, by owner and name. */
    private static final Set<String> UNREPEATABLE = Set.of(
            Thread.class.getName() + ".sleep",
            "java.lang.System.currentTimeMillis",
            "java.lang.System.nanoTime",
            "java.lang.Math.random",
            "java.util.Random.<init>",
            "java.util.concurrent.ThreadLocalRandom.current",
            "java.security.SecureRandom.<init>",
            "java.util.UUID.randomUUID",
            "java.time.Instant.now",
            "java.time.LocalDateTime.now",
            "java.time.ZonedDateTime.now",
            "java.time.Clock.systemUTC",
            "java.time.Clock.systemDefaultZone");

    private static final Pattern EMPTY_NAME = Pattern.compile(".*(?:Utils?|Helpers?|Managers?)");
    private static final Pattern REGISTRY = Pattern.compile(
            "(?i)https?://[a-z0-9.:-]*(?:maven|nexus|artifactory|jfrog|sonatype|pypi|pythonhosted|npmjs|crates|rubygems|"
                + "proxy\\.golang|docker\\.io|ghcr|quay)[a-z0-9.:-]*/?[^\\s\"'<>)]*");
    private static final Pattern NAMESPACE = Pattern.compile("https?://maven\\.apache\\.org/(?:POM|xsd)/.*");
    private static final Pattern LEFT_OVER =
            Pattern.compile("@" + "Disabled|\\bTO" + "DO\\b|\\bFIX" + "ME\\b|\\bXX" + "X\\b");
    private static final Pattern PROMISE = Pattern.compile("\\bP-(\\d+)\\b");
    private static final Pattern PROMISE_ROW = Pattern.compile("(?m)^\\| \\*\\*P-(\\d+)\\*\\* \\|");
    private static final Pattern TABLE_ROW = Pattern.compile("(?m)^\\| (`.+?`) \\|(.*)\\|$");
    private static final Pattern CODE = Pattern.compile("`([^`]+)`");

    /** Phrases that plain technical English has a standard word for. */
    private static final Pattern ARCHAIC = Pattern.compile(
            "(?i)\\b(?:who" + "ever|(?:is|are|was|were) told|(?:hears?|heard) of|says" + " so|go(?:es|ing)? on"
                    + " with|for" + " ever|there" + "of|what" + " came of|of" + " ours|one's own|stands?"
                    + " in(?! its place)|me" + "nd(?:s|ed)?|to be"
                    + " had|reckon(?:s|ed)?|one an? (?:step|group|image|node|prompt))\\b");

    /** A Javadoc that begins with a noun clause, which an IDE shows as the whole description. */
    private static final Pattern NOUN_CLAUSE =
            Pattern.compile("/\\*\\*\\s+(?:\\*\\s+)?(?:What|Who" + "ever|Who|Of|Where) ");

    private HouseRules() {}

    /** Phrases and beginnings of Javadoc that the English rules of docs/style.md ban. */
    static List<String> archaic(String text) {
        List<String> found = new ArrayList<>();
        all(ARCHAIC, text).forEach(phrase -> found.add(phrase.group()));
        all(NOUN_CLAUSE, text).forEach(start -> found.add(start.group().replaceAll("\\s+", " ")));
        return found;
    }

    /** Returns the first misformatted line; null if the formatter leaves the text unchanged. */
    static @Nullable String misformatted(String source) {
        try {
            String formatted = formatter().formatSourceAndFixImports(source);
            if (formatted.equals(source)) {
                return null;
            }
            List<String> is = source.lines().toList();
            List<String> shouldBe = formatted.lines().toList();
            for (int i = 0; i < Math.min(is.size(), shouldBe.size()); i++) {
                if (!is.get(i).equals(shouldBe.get(i))) {
                    return "line " + (i + 1) + ": " + is.get(i).strip();
                }
            }
            return "its end";
        } catch (FormatterException e) {
            return String.valueOf(e.getMessage());
        }
    }

    private static Formatter formatter() {
        return Formatter.createFormatter(JavaFormatterOptions.builder()
                .style(JavaFormatterOptions.Style.PALANTIR)
                .build());
    }

    /** Returns the uses of a module by one that may not use it. */
    static List<String> wrongArrows(JavaClasses classes, Map<String, Set<String>> arrows) {
        Set<String> wrong = new TreeSet<>();
        for (JavaClass user : classes) {
            String from = moduleOf(user.getPackageName(), arrows.keySet());
            if (from == null) {
                wrong.add(user.getName() + " is in no module's package");
                continue;
            }
            for (Dependency dependency : user.getDirectDependenciesFromSelf()) {
                String to = moduleOf(
                        dependency.getTargetClass().getBaseComponentType().getPackageName(), arrows.keySet());
                if (to != null
                        && !to.equals(from)
                        && !arrows.getOrDefault(from, Set.of()).contains(to)) {
                    wrong.add(from + " uses " + to + ": " + dependency.getDescription());
                }
            }
        }
        return List.copyOf(wrong);
    }

    private static @Nullable String moduleOf(String packageName, Set<String> modules) {
        return modules.stream()
                .filter(module ->
                        packageName.equals(packageOf(module)) || packageName.startsWith(packageOf(module) + "."))
                .findFirst()
                .orElse(null);
    }

    /** Returns packages with more top-level classes than {@link #CLASSES_MAX}, as {@code package: count}. */
    static List<String> largePackages(Iterable<JavaClass> classes) {
        Map<String, Set<String>> packages = new TreeMap<>();
        for (JavaClass type : classes) {
            if (type.isTopLevelClass() && !type.getSimpleName().equals("package-info")) {
                packages.computeIfAbsent(type.getPackageName(), _ -> new TreeSet<>())
                        .add(type.getName());
            }
        }
        return packages.entrySet().stream()
                .filter(each -> each.getValue().size() > CLASSES_MAX)
                .map(each -> each.getKey() + ": " + each.getValue().size())
                .toList();
    }

    /** Returns packages that use each other, directly or through others, each as its path back to itself. */
    static List<String> packageCycles(Iterable<JavaClass> classes) {
        Map<String, Set<String>> uses = new TreeMap<>();
        Set<String> all = new TreeSet<>();
        classes.forEach(type -> all.add(type.getPackageName()));
        for (JavaClass user : classes) {
            for (Dependency dependency : user.getDirectDependenciesFromSelf()) {
                String to = dependency.getTargetClass().getBaseComponentType().getPackageName();
                if (all.contains(to) && !to.equals(user.getPackageName())) {
                    uses.computeIfAbsent(user.getPackageName(), _ -> new TreeSet<>())
                            .add(to);
                }
            }
        }
        List<String> cycles = new ArrayList<>();
        for (String start : all) {
            List<String> path = pathBack(start, start, uses, new TreeSet<>());
            if (!path.isEmpty()) {
                cycles.add(String.join(" uses ", path));
            }
        }
        return cycles;
    }

    private static List<String> pathBack(String from, String to, Map<String, Set<String>> uses, Set<String> seen) {
        for (String next : uses.getOrDefault(from, Set.of())) {
            if (next.equals(to)) {
                return List.of(from, to);
            }
            if (seen.add(next)) {
                List<String> rest = pathBack(next, to, uses, seen);
                if (!rest.isEmpty()) {
                    return Stream.concat(Stream.of(from), rest.stream()).toList();
                }
            }
        }
        return List.of();
    }

    /** Returns the headings that a package description lacks: where to start, what does not belong there, its promises. */
    static List<String> lackingInPackageSign(String packageInfo) {
        return PACKAGE_SIGN.stream()
                .filter(heading -> !packageInfo.contains(heading))
                .toList();
    }

    /** Returns the package of a module that contains its other packages. */
    static String packageOf(String module) {
        return "darkroom." + module.replace("-", "");
    }

    /** Returns modules in a pom's dependencies that the module may not use. */
    static List<String> wrongArrows(String module, String pom) {
        return elements(parse(pom), "dependency").stream()
                .filter(dependency -> text(dependency, "groupId").equals("darkroom"))
                .map(dependency -> text(dependency, "artifactId"))
                .filter(used -> !ARROWS.getOrDefault(module, Set.of()).contains(used))
                .map(used -> module + " names " + used)
                .toList();
    }

    /** Returns types whose name says nothing about their purpose. */
    static List<String> emptyNames(List<String> simpleNames) {
        return simpleNames.stream()
                .filter(name -> EMPTY_NAME.matcher(name).matches())
                .toList();
    }

    /** Returns calls that cannot be repeated, as {@code Class.method -> call}. */
    static List<String> unrepeatable(Iterable<JavaClass> classes) {
        Set<String> found = new TreeSet<>();
        for (JavaClass caller : classes) {
            for (JavaAccess<?> access : caller.getAccessesFromSelf()) {
                String call = access.getTargetOwner().getName() + "."
                        + access.getTarget().getName();
                if (UNREPEATABLE.contains(call)) {
                    found.add(caller.getSimpleName() + " -> " + call);
                }
            }
        }
        return List.copyOf(found);
    }

    /** Returns versions in a module's pom, and repositories in any pom. */
    static List<String> pinned(String pom, boolean root) {
        List<String> wrong = new ArrayList<>();
        Document document = parse(pom);
        for (String element : ADDRESSES) {
            elements(document, element).forEach(_ -> wrong.add("<" + element + ">"));
        }
        for (Element version : elements(document, "version")) {
            String name = version.getParentNode().getNodeName();
            boolean own = name.equals("parent") || name.equals("project");
            boolean plugin = root && name.equals("plugin");
            boolean written = !version.getTextContent().startsWith("${");
            boolean range = name.startsWith("require") || name.equals("configuration");
            if (written && !own && !plugin && !range) {
                wrong.add("<version>" + version.getTextContent() + " in <" + name + ">");
            }
            if (!root && name.equals("dependency")) {
                wrong.add("<version> of " + text((Element) version.getParentNode(), "artifactId"));
            }
        }
        return wrong;
    }

    /** Returns version properties and plugins of the root pom without a row on the page, and rows without one of them. */
    static List<String> withoutReason(String rootPom, String page) {
        Document document = parse(rootPom);
        Set<String> used = new TreeSet<>();
        Node properties = elements(document, "properties").getFirst();
        for (Node child = properties.getFirstChild(); child != null; child = child.getNextSibling()) {
            if (child.getNodeName().endsWith(".version")) {
                used.add(child.getNodeName());
            }
        }
        elements(document, "plugin").forEach(plugin -> used.add(text(plugin, "artifactId")));
        Set<String> reasoned = new TreeSet<>();
        for (MatchResult row : all(TABLE_ROW, page)) {
            boolean whole = row.group(2).lines().allMatch(cells -> Pattern.compile("\\|")
                    .splitAsStream(cells)
                    .noneMatch(String::isBlank));
            if (whole) {
                all(CODE, row.group(1)).forEach(name -> reasoned.add(name.group(1)));
            }
        }
        List<String> wrong = new ArrayList<>();
        used.stream().filter(name -> !reasoned.contains(name)).forEach(name -> wrong.add(name + " has no reason"));
        reasoned.stream().filter(name -> !used.contains(name)).forEach(name -> wrong.add(name + " is not used"));
        return wrong;
    }

    /** Returns third-party artifacts that the root pom manages and no pom names. */
    static List<String> unused(String rootPom, List<String> modulePoms) {
        Document root = parse(rootPom);
        Element management = elements(root, "dependencyManagement").getFirst();
        Set<String> named = new TreeSet<>();
        modulePoms.forEach(
                pom -> elements(parse(pom), "dependency").forEach(used -> named.add(text(used, "artifactId"))));
        List<String> unused = new ArrayList<>();
        for (Element dependency : elements(root, "dependency")) {
            boolean managed = dependency.getParentNode().getParentNode().isSameNode(management);
            if (!managed) {
                named.add(text(dependency, "artifactId"));
            }
        }
        for (Element dependency : elements(root, "dependency")) {
            boolean managed = dependency.getParentNode().getParentNode().isSameNode(management);
            if (managed
                    && !named.contains(text(dependency, "artifactId"))
                    && !text(dependency, "scope").equals("import")) {
                unused.add(text(dependency, "artifactId"));
            }
        }
        return unused;
    }

    /** Returns addresses of package registries. */
    static List<String> registries(String text) {
        return all(REGISTRY, text).stream()
                .map(MatchResult::group)
                .filter(url -> !NAMESPACE.matcher(url).matches())
                .toList();
    }

    /** Returns disabled tests and work left for later. */
    static List<String> leftOver(String text) {
        return all(LEFT_OVER, text).stream().map(MatchResult::group).toList();
    }

    /** Returns public types of a source without Javadoc. */
    static List<String> undocumented(String source) throws IOException {
        JavaFileObject file =
                new SimpleJavaFileObject(URI.create("string:///Source.java"), JavaFileObject.Kind.SOURCE) {
                    @Override
                    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                        return source;
                    }
                };
        JavacTask task = (JavacTask) ToolProvider.getSystemJavaCompiler()
                .getTask(null, null, null, List.of("-proc:none"), null, List.of(file));
        DocTrees comments = DocTrees.instance(task);
        List<String> undocumented = new ArrayList<>();
        for (CompilationUnitTree unit : task.parse()) {
            new TreePathScanner<@Nullable Void, @Nullable Void>() {
                @Override
                public @Nullable Void visitClass(ClassTree type, @Nullable Void nothing) {
                    if (!type.getModifiers().getFlags().contains(Modifier.PUBLIC)) {
                        return null;
                    }
                    if (comments.getDocComment(getCurrentPath()) == null) {
                        undocumented.add(type.getSimpleName().toString());
                    }
                    return super.visitClass(type, null);
                }
            }.scan(unit, null);
        }
        return undocumented;
    }

    /** Returns promises that a text cites and the page does not make. */
    static List<String> unknownPromises(String text, String page) {
        Set<String> made =
                all(PROMISE_ROW, page).stream().map(row -> row.group(1)).collect(Collectors.toSet());
        return all(PROMISE, text).stream()
                .filter(cited -> !made.contains(cited.group(1)))
                .map(MatchResult::group)
                .distinct()
                .toList();
    }

    private static List<MatchResult> all(Pattern pattern, String text) {
        Matcher matcher = pattern.matcher(text);
        return matcher.results().toList();
    }

    private static Document parse(String xml) {
        try {
            DocumentBuilderFactory factory = DocumentBuilderFactory.newDefaultInstance();
            factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
            return factory.newDocumentBuilder().parse(new InputSource(new StringReader(xml)));
        } catch (ParserConfigurationException | SAXException e) {
            throw new IllegalArgumentException("no XML: " + e.getMessage(), e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<Element> elements(Document document, String name) {
        NodeList nodes = document.getElementsByTagName(name);
        List<Element> elements = new ArrayList<>();
        for (int i = 0; i < nodes.getLength(); i++) {
            elements.add((Element) nodes.item(i));
        }
        return elements;
    }

    private static String text(Element parent, String child) {
        for (Node node = parent.getFirstChild(); node != null; node = node.getNextSibling()) {
            if (node.getNodeName().equals(child)) {
                return node.getTextContent().strip();
            }
        }
        return "";
    }
}
