/**
 * A WS-Discovery Probe for ONVIF devices (WS-Discovery, April 2005 draft §5.2, as ONVIF Core §7 asks for).
 * Some devices answer only a Probe without types, so both are sent.
 */
export function probeMessage(messageId: string, types: "NetworkVideoTransmitter" | "any"): Buffer {
  const typesElement =
    types === "any"
      ? ""
      : '<d:Types xmlns:dn="http://www.onvif.org/ver10/network/wsdl">dn:NetworkVideoTransmitter</d:Types>';
  return message("Probe", messageId, `<d:Probe>${typesElement}</d:Probe>`);
}

/** Asks where a device is that told its endpoint but no address (WS-Discovery §6.1). */
export function resolveMessage(messageId: string, endpoint: string): Buffer {
  const address = endpoint.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const reference = `<w:EndpointReference><w:Address>${address}</w:Address></w:EndpointReference>`;
  return message("Resolve", messageId, `<d:Resolve>${reference}</d:Resolve>`);
}

function message(action: "Probe" | "Resolve", messageId: string, body: string): Buffer {
  return Buffer.from(
    '<?xml version="1.0" encoding="UTF-8"?>' +
      '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"' +
      ' xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing"' +
      ' xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery">' +
      `<e:Header><w:MessageID>${messageId}</w:MessageID>` +
      '<w:To e:mustUnderstand="true">urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>' +
      `<w:Action e:mustUnderstand="true">http://schemas.xmlsoap.org/ws/2005/04/discovery/${action}</w:Action>` +
      `</e:Header><e:Body>${body}</e:Body></e:Envelope>`,
  );
}
