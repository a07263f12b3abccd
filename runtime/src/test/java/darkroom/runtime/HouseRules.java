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
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
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

/** The rules, each as a function from what it looks at to the list of what breaks it. */
final class HouseRules {
    /** What each module may use. */
    static final Map<String, Set<String>> ARROWS = Map.of(
            "config", Set.of(),
            "edit-tasks", Set.of("config"),
            "actors", Set.of("config", "edit-tasks"),
            "gpu-workers", Set.of("config", "edit-tasks", "actors"),
            "reward-actors", Set.of("config", "edit-tasks", "actors"),
            "runtime", Set.of("config", "edit-tasks", "actors", "gpu-workers", "reward-actors"));

    /** Elements of a pom that say where packages are. */
    static final List<String> ADDRESSES = List.of("repositories", "pluginRepositories", "distributionManagement");

    /** Calls whose answer is another one next time, by owner and name. */
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

    private HouseRules() {}

    /** Null if the formatter leaves the text as it is. */
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

    /** Uses of a module by one that may not. */
    static List<String> wrongArrows(JavaClasses classes, Map<String, Set<String>> arrows) {
        Map<String, String> modules =
                arrows.keySet().stream().collect(Collectors.toMap(HouseRules::packageOf, module -> module));
        Set<String> wrong = new TreeSet<>();
        for (JavaClass user : classes) {
            String from = modules.get(user.getPackageName());
            if (from == null) {
                wrong.add(user.getName() + " is in no module's package");
                continue;
            }
            for (Dependency dependency : user.getDirectDependenciesFromSelf()) {
                String to = modules.get(
                        dependency.getTargetClass().getBaseComponentType().getPackageName());
                if (to != null
                        && !to.equals(from)
                        && !arrows.getOrDefault(from, Set.of()).contains(to)) {
                    wrong.add(from + " uses " + to + ": " + dependency.getDescription());
                }
            }
        }
        return List.copyOf(wrong);
    }

    private static String packageOf(String module) {
        return "darkroom." + module.replace("-", "");
    }

    /** Modules in a pom's dependencies that the module may not use. */
    static List<String> wrongArrows(String module, String pom) {
        return elements(parse(pom), "dependency").stream()
                .filter(dependency -> text(dependency, "groupId").equals("darkroom"))
                .map(dependency -> text(dependency, "artifactId"))
                .filter(used -> !ARROWS.getOrDefault(module, Set.of()).contains(used))
                .map(used -> module + " names " + used)
                .toList();
    }

    /** Types whose name says that they are for anything. */
    static List<String> emptyNames(List<String> simpleNames) {
        return simpleNames.stream()
                .filter(name -> EMPTY_NAME.matcher(name).matches())
                .toList();
    }

    /** Calls that cannot be repeated, as {@code Class.method -> call}. */
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

    /** Versions written in a module's pom, and repositories in any. */
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

    /** Names of version properties and plugins of the root pom that the page has no row for, or that it has in vain. */
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

    /** Third-party artifacts that the root pom manages and no pom names. */
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

    /** Addresses of package registries. */
    static List<String> registries(String text) {
        return all(REGISTRY, text).stream()
                .map(MatchResult::group)
                .filter(url -> !NAMESPACE.matcher(url).matches())
                .toList();
    }

    /** Tests switched off and work left for later. */
    static List<String> leftOver(String text) {
        return all(LEFT_OVER, text).stream().map(MatchResult::group).toList();
    }

    /** Public types of a source without a word on what they are. */
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

    /** Promises that a text cites and the page does not make. */
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
