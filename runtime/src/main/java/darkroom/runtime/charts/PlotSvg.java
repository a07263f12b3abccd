package darkroom.runtime.charts;

import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import javax.xml.transform.OutputKeys;
import javax.xml.transform.Transformer;
import javax.xml.transform.TransformerException;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import org.w3c.dom.Attr;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NamedNodeMap;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;
import org.w3c.dom.Text;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;

/**
 * The SVG of Lets-Plot, made part of a page: it scales with the page and uses its colours, and its ids, which are random,
 * become numbers under a digest of the drawing, so that equal charts have equal bytes and two charts share no id.
 */
final class PlotSvg {
    private static final Pattern REFERENCE = Pattern.compile("#(\\w+)");
    private static final Pattern DRAWN = Pattern.compile("\\.(?:axis-title|axis-text|legend-item)");
    private static final Pattern RULE = Pattern.compile("([^{}]+)\\{([^}]*)}");
    private static final int DIGEST_CHARACTERS = 12;

    private final Map<String, String> ids = new HashMap<>();

    private PlotSvg() {}

    /** Returns the element for a page; {@code width} and {@code height} are those of the drawing, pixels. */
    static String forPage(String svg, int width, int height, String description) {
        Element root = parsed(svg).getDocumentElement();
        for (String unused : List.of("xmlns", "xmlns:xlink", "width", "height", "class")) {
            root.removeAttribute(unused);
        }
        root.setAttribute("viewBox", "0 0 " + width + " " + height);
        root.setAttribute("role", "img");
        root.setAttribute("aria-label", description);
        PlotSvg drawing = new PlotSvg();
        drawing.trim(root);
        drawing.collectIds(root);
        drawing.rewrite(root, "");
        String digest = digest(written(root));
        drawing.rewrite(root, "chart-" + digest + "-");
        return written(root);
    }

    /** Removes white space around texts and elements. */
    private void trim(Element element) {
        for (Node child : children(element)) {
            if (child instanceof Text text) {
                text.setData(text.getData().strip());
            } else if (child instanceof Element inner) {
                trim(inner);
            }
        }
    }

    private void collectIds(Element element) {
        if (element.hasAttribute("id")) {
            ids.put(element.getAttribute("id"), Integer.toString(ids.size()));
        }
        for (Node child : children(element)) {
            if (child instanceof Element inner) {
                collectIds(inner);
            }
        }
    }

    /** Renames ids and colours; a second call puts a prefix before the names that the first one gave. */
    private void rewrite(Element element, String prefix) {
        NamedNodeMap attributes = element.getAttributes();
        for (int i = 0; i < attributes.getLength(); i++) {
            Attr attribute = (Attr) attributes.item(i);
            String value = attribute.getValue();
            switch (attribute.getName()) {
                case "id" -> attribute.setValue(renamed(value, prefix));
                case "clip-path", "href", "xlink:href" -> attribute.setValue(references(value, prefix));
                case "fill", "stroke", "style" -> attribute.setValue(PageColor.asVariables(value));
                default -> {}
            }
        }
        if (element.getTagName().equals("style")) {
            element.setTextContent(styles(element.getTextContent(), prefix));
            return;
        }
        for (Node child : children(element)) {
            if (child instanceof Element inner) {
                rewrite(inner, prefix);
            }
        }
    }

    private String renamed(String id, String prefix) {
        return prefix.isEmpty() ? ids.getOrDefault(id, id) : prefix + id;
    }

    private String references(String value, String prefix) {
        return REFERENCE
                .matcher(value)
                .replaceAll(match -> "#" + Matcher.quoteReplacement(renamed(match.group(1), prefix)));
    }

    /** Returns the rules of texts that a chart has, in the font of the page. */
    private String styles(String css, String prefix) {
        StringBuilder rules = new StringBuilder();
        Matcher rule = RULE.matcher(css);
        while (rule.find()) {
            if (DRAWN.matcher(rule.group(1)).find()) {
                String declarations = rule.group(2)
                        .replaceAll("font-family:[^;]*;", "")
                        .replaceAll("\\s+", " ")
                        .strip();
                rules.append(references(rule.group(1).strip(), prefix))
                        .append(" { ")
                        .append(PageColor.asVariables(declarations))
                        .append(" }\n");
            }
        }
        return rules.toString();
    }

    private static List<Node> children(Element element) {
        NodeList nodes = element.getChildNodes();
        List<Node> children = new ArrayList<>();
        for (int i = 0; i < nodes.getLength(); i++) {
            children.add(nodes.item(i));
        }
        return children;
    }

    private static Document parsed(String svg) {
        try {
            return DocumentBuilderFactory.newInstance()
                    .newDocumentBuilder()
                    .parse(new InputSource(new StringReader(svg)));
        } catch (ParserConfigurationException | SAXException | IOException e) {
            throw new IllegalStateException("a chart of Lets-Plot is not well-formed XML", e);
        }
    }

    private static String written(Element element) {
        try {
            Transformer transformer = TransformerFactory.newInstance().newTransformer();
            transformer.setOutputProperty(OutputKeys.OMIT_XML_DECLARATION, "yes");
            StringWriter text = new StringWriter();
            transformer.transform(new DOMSource(element), new StreamResult(text));
            return text.toString();
        } catch (TransformerException e) {
            throw new IllegalStateException("a chart cannot be written as XML", e);
        }
    }

    private static String digest(String text) {
        try {
            byte[] bytes = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(bytes).substring(0, DIGEST_CHARACTERS);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
