package darkroom.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.File;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** House rules checked by machine: each over the whole repository, and over something that breaks it. */
@Execution(ExecutionMode.CONCURRENT) // it reads files only, for a minute; all other tests run one after the other
class HouseRulesTest {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final Set<String> FOLDERS_OF_NOBODY =
            Set.of("target", ".git", "runs", ".idea", ".settings", "__pycache__");
    private static final Pattern TEXTS =
            Pattern.compile(".*\\.(?:java|xml|md|conf|sh|py|yaml|yml|service|properties|ftlh?|css|js|txt)|[^.]+");

    /**
     * Calls that rollouts, scores, gradients and steps do not depend on, each with its reason: {@code Class -> call}.
     * An entry that is not needed fails.
     */
    private static final Map<String, String> UNREPEATABLE_AND_HARMLESS = Map.of(
            "Token -> java.security.SecureRandom.<init>",
            "names of directories and processes, and what proves that two see one memory; nothing that is computed has"
                    + " them");

    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .withImportOption(location -> !location.contains("-tests.jar"))
            .importPackages("darkroom");

    @Test
    void everyJavaFileIsFormatted() throws IOException {
        Map<Path, String> wrong = new HashMap<>();
        for (Path file : files(".java")) {
            String difference = HouseRules.misformatted(Files.readString(file));
            if (difference != null) {
                wrong.put(ROOT.relativize(file), difference);
            }
        }
        assertThat(wrong).as("run palantir-java-format over these").isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "class A {int a;}\n",
                "import java.util.List;\n\nclass A {}\n",
                "class A {\n    int a;\n}",
                "class A {",
                "class A {\n  int a;\n}\n"
            })
    void aFileThatIsNotFormattedIsNoticed(String source) {
        assertThat(HouseRules.misformatted(source)).isNotNull();
    }

    @Test
    void modulesUseOnlyWhatTheyMay() throws IOException {
        assertThat(HouseRules.wrongArrows(CLASSES, HouseRules.ARROWS)).isEmpty();
        for (String module : HouseRules.ARROWS.keySet()) {
            assertThat(HouseRules.wrongArrows(module, pom(module))).isEmpty();
        }
    }

    @Test
    void anArrowThatRunsUpwardsIsNoticed() {
        Map<String, Set<String>> narrower = new HashMap<>(HouseRules.ARROWS);
        narrower.put("gpu-workers", Set.of("config", "edit-tasks"));
        assertThat(HouseRules.wrongArrows(CLASSES, narrower))
                .anyMatch(use -> use.startsWith("gpu-workers uses actors"));
        String pom = "<project><dependencies><dependency><groupId>darkroom</groupId>"
                + "<artifactId>reward-actors</artifactId></dependency></dependencies></project>";
        assertThat(HouseRules.wrongArrows("gpu-workers", pom)).containsExactly("gpu-workers names reward-actors");
        assertThat(HouseRules.wrongArrows("runtime", pom)).isEmpty();
    }

    @Test
    void everySourceIsInAPackageOfItsModuleThatIsNamedLikeItsFolder() throws IOException {
        for (Path file : files(".java")) {
            Path path = ROOT.relativize(file);
            String module = path.getName(0).toString();
            String name = path.subpath(4, path.getNameCount() - 1).toString().replace(File.separatorChar, '.');
            assertThat(name + ".").startsWith(HouseRules.packageOf(module) + ".");
            assertThat("\n" + Files.readString(file)).contains("\npackage " + name + ";");
        }
    }

    @Test
    void noPackageHasMoreThanFortyClasses() {
        assertThat(HouseRules.largePackages(CLASSES)).isEmpty();
    }

    @Test
    void noPackageUsesAPackageThatUsesIt() {
        assertThat(HouseRules.packageCycles(CLASSES)).isEmpty();
    }

    @Test
    void packagesThatUseEachOtherAndLargePackagesAreNoticed() {
        assertThat(HouseRules.packageCycles(new ClassFileImporter().importPackages("com.tngtech.archunit.core")))
                .isNotEmpty();
        assertThat(HouseRules.largePackages(new ClassFileImporter().importPackages("com.tngtech.archunit.core.domain")))
                .singleElement()
                .asString()
                .startsWith("com.tngtech.archunit.core.domain: ");
    }

    @Test
    void everyPackageSaysWhereToStartReadingWhatIsNotThereAndWhatItPromises() throws IOException {
        for (Path folder : files(".java").stream()
                .filter(file -> file.toString().contains("/src/main/"))
                .map(Path::getParent)
                .collect(Collectors.toSet())) {
            Path sign = folder.resolve("package-info.java");
            assertThat(sign).exists();
            assertThat(HouseRules.lackingInPackageSign(Files.readString(sign)))
                    .as("%s", ROOT.relativize(sign))
                    .isEmpty();
        }
        assertThat(HouseRules.lackingInPackageSign("/** Much. */\npackage much;"))
                .hasSize(3);
    }

    @Test
    void noTypeIsNamedAfterNothing() {
        assertThat(HouseRules.emptyNames(
                        CLASSES.stream().map(JavaClass::getSimpleName).toList()))
                .isEmpty();
        assertThat(HouseRules.emptyNames(List.of("ImageUtil", "TensorUtils", "ScoreHelper", "LeaseManager", "Lease")))
                .containsExactly("ImageUtil", "TensorUtils", "ScoreHelper", "LeaseManager");
    }

    /** P-1: results depend neither on the time nor on randomness without a key. */
    @Test
    void nothingInActorsAndDevicesAsksTheClockOrChance() {
        List<JavaClass> deciding = CLASSES.stream()
                .filter(type -> Stream.of("darkroom.tensors", "darkroom.actors", "darkroom.gpuworkers")
                        .anyMatch(module -> (type.getPackageName() + ".").startsWith(module + ".")))
                .toList();
        assertThat(deciding).isNotEmpty();
        assertThat(HouseRules.unrepeatable(deciding))
                .containsExactlyInAnyOrderElementsOf(UNREPEATABLE_AND_HARMLESS.keySet());
    }

    @Test
    void aCallToTheClockOrChanceIsNoticed() {
        assertThat(HouseRules.unrepeatable(new ClassFileImporter().importClasses(Unrepeatable.class)))
                .containsExactlyInAnyOrder(
                        "Unrepeatable -> java.lang.System.nanoTime",
                        "Unrepeatable -> java.lang.Math.random",
                        "Unrepeatable -> java.util.Random.<init>");
    }

    /** A class that breaks the rule. */
    private static final class Unrepeatable {
        @SuppressWarnings("unused") // read from bytecode
        static double answer() {
            LockSupport.parkNanos(1);
            return System.nanoTime() + Math.random() + new Random(3).nextDouble();
        }
    }

    @Test
    void versionsStandInTheRootPomAlone() throws IOException {
        assertThat(HouseRules.pinned(pom("."), true)).isEmpty();
        for (String module : HouseRules.ARROWS.keySet()) {
            assertThat(HouseRules.pinned(pom(module), false)).as(module).isEmpty();
        }
    }

    @Test
    void aVersionInAModuleAndARepositoryAreNoticed() {
        String dependency =
                "<project><dependency><artifactId>a</artifactId><version>%s</version></dependency></project>";
        assertThat(HouseRules.pinned(dependency.formatted("1.2"), true)).hasSize(1);
        assertThat(HouseRules.pinned(dependency.formatted("1.2"), false)).hasSize(2);
        assertThat(HouseRules.pinned(dependency.formatted("${a.version}"), false))
                .hasSize(1);
        assertThat(HouseRules.pinned(dependency.formatted("${a.version}"), true))
                .isEmpty();
        assertThat(HouseRules.pinned("<project><plugin><version>1</version></plugin></project>", false))
                .hasSize(1);
        for (String element : HouseRules.ADDRESSES) {
            assertThat(HouseRules.pinned("<project><%s/></project>".formatted(element), true))
                    .containsExactly("<" + element + ">");
        }
    }

    @Test
    void everyDependencyIsUsedAndHasItsReason() throws IOException {
        List<String> poms = new ArrayList<>();
        for (String module : HouseRules.ARROWS.keySet()) {
            poms.add(pom(module));
        }
        assertThat(HouseRules.unused(pom("."), poms)).isEmpty();
        assertThat(HouseRules.withoutReason(pom("."), Files.readString(ROOT.resolve("docs/dependencies.md"))))
                .isEmpty();
    }

    @Test
    void aDependencyWithoutUseOrReasonIsNoticed() {
        String root = "<project><properties><a.version>1</a.version><b.version>1</b.version></properties>"
                + "<dependencyManagement><dependencies><dependency><artifactId>a</artifactId></dependency><dependency>"
                + "<artifactId>b</artifactId></dependency></dependencies></dependencyManagement></project>";
        String module = "<project><dependency><artifactId>a</artifactId></dependency></project>";
        assertThat(HouseRules.unused(root, List.of(module))).containsExactly("b");
        assertThat(HouseRules.withoutReason(root, "| `a.version` | a | for | MIT |\n| `c.version` | c | for | MIT |"))
                .containsExactly("b.version has no reason", "c.version is not used");
        assertThat(HouseRules.withoutReason(root, "| `a.version` | a |  | MIT |\n| `b.version` | b | for | MIT |"))
                .containsExactly("a.version has no reason");
    }

    @Test
    void noRegistryIsNamedAndNothingIsSwitchedOffOrLeftForLater() throws IOException {
        Map<Path, List<String>> wrong = new HashMap<>();
        for (Path file : texts()) {
            String text = Files.readString(file);
            List<String> found = new ArrayList<>(HouseRules.leftOver(text));
            if (!file.endsWith("HouseRulesTest.java")) {
                found.addAll(HouseRules.registries(text));
            }
            if (!found.isEmpty()) {
                wrong.put(ROOT.relativize(file), found);
            }
        }
        assertThat(wrong).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "https://repo1.maven.org/maven2",
                "http://nexus.example.com:8081/repository",
                "pip install -i https://pypi.example.org/simple",
                "https://registry.npmjs.org/x"
            })
    void anAddressOfARegistryIsNoticed(String text) {
        assertThat(HouseRules.registries(text)).hasSize(1);
    }

    @Test
    void addressesOfOtherThingsAreNone() {
        assertThat(HouseRules.registries(
                        "http://localhost:8000 http://maven.apache.org/POM/4.0.0 https://arxiv.org/abs/1"))
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"@,Disabled", "// TO,DO: later", "FIX,ME"})
    void whatIsSwitchedOffOrLeftForLaterIsNoticed(String first, String second) {
        assertThat(HouseRules.leftOver(first + second)).hasSize(1);
    }

    @Test
    void everyPublicTypeSaysWhatItIs() throws IOException {
        Set<String> wrong = new TreeSet<>();
        for (Path file : files(".java")) {
            if (file.toString().contains("/src/main/")) {
                HouseRules.undocumented(Files.readString(file))
                        .forEach(type -> wrong.add(ROOT.relativize(file) + " " + type));
            }
        }
        assertThat(wrong).isEmpty();
    }

    @Test
    void aPublicTypeWithoutAWordIsNoticed() throws IOException {
        assertThat(HouseRules.undocumented("public class A { public enum B { C } class D {} }"))
                .containsExactly("A", "B");
        assertThat(HouseRules.undocumented("/** Yes. */ public record A() { /** Too. */ public enum B { C } }"))
                .isEmpty();
        assertThat(HouseRules.undocumented("class A { public enum B { C } }")).isEmpty();
    }

    @Test
    void everyPromiseThatIsCitedIsMade() throws IOException {
        String page = Files.readString(ROOT.resolve("docs/promises.md"));
        Map<Path, List<String>> wrong = new HashMap<>();
        for (Path file : texts()) {
            List<String> unknown = HouseRules.unknownPromises(Files.readString(file), page);
            if (!unknown.isEmpty() && !file.endsWith("HouseRulesTest.java")) {
                wrong.put(ROOT.relativize(file), unknown);
            }
        }
        assertThat(wrong).isEmpty();
        for (int promise = 1; promise <= 10; promise++) {
            assertThat(HouseRules.unknownPromises("P-" + promise, page)).isEmpty();
        }
        assertThat(HouseRules.unknownPromises("(promises P-3 and P-11)", page)).containsExactly("P-11");
    }

    @Test
    void commentsMessagesAndPagesAreInPlainEnglish() throws IOException {
        Map<Path, List<String>> wrong = new TreeMap<>();
        for (Path file : texts()) {
            String name = file.getFileName().toString();
            boolean prompt = name.endsWith(".txt"); // read by judges, or words that tasks are rendered from
            if (name.startsWith("HouseRules") || prompt || file.endsWith("docs/style.md")) {
                continue;
            }
            List<String> found = HouseRules.archaic(Files.readString(file));
            if (!found.isEmpty()) {
                wrong.put(ROOT.relativize(file), found);
            }
        }
        assertThat(wrong).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Who" + "ever asks gets it.",
                "the node is" + " told so",
                "a node not heard of for 2 s",
                "and says" + " so",
                "goes on" + " with the run",
                "waits for" + " ever",
                "one a step",
                "/** What a queue gets. */",
                "/**\n     * Of two nodes the older. */"
            })
    void anArchaicPhraseIsNoticed(String text) {
        assertThat(HouseRules.archaic(text)).isNotEmpty();
    }

    @Test
    void plainEnglishIsNot() {
        assertThat(HouseRules.archaic(
                        "/** Returns the older of two nodes. */ The node resumes the run; it stands alone."))
                .isEmpty();
    }

    private static String pom(String module) throws IOException {
        return Files.readString(ROOT.resolve(module).resolve("pom.xml"));
    }

    private static List<Path> texts() throws IOException {
        return files("").stream()
                .filter(file -> TEXTS.matcher(file.getFileName().toString()).matches())
                .toList();
    }

    private static List<Path> files(String end) throws IOException {
        List<Path> files = new ArrayList<>();
        Files.walkFileTree(ROOT, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
                return FOLDERS_OF_NOBODY.contains(folder.getFileName().toString())
                        ? FileVisitResult.SKIP_SUBTREE
                        : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                if (attributes.isRegularFile() && file.toString().endsWith(end)) {
                    files.add(file);
                }
                return FileVisitResult.CONTINUE;
            }
        });
        assertThat(files).isNotEmpty();
        return files;
    }
}
